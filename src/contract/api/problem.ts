import { Type, type Static } from 'typebox';
import { named } from './schema.ts';

/** Why a request was not done: RFC 9457. */
export const problemSchema = named(
  'Problem',
  Type.Object({
    type: Type.String({ format: 'uri-reference' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.String({ format: 'uri-reference' }),
    code: Type.String(),
    requestId: Type.String(),
    errors: Type.Optional(
      Type.Array(Type.Object({ pointer: Type.String(), detail: Type.String() })),
    ),
  }),
);

export type Problem = Static<typeof problemSchema>;
