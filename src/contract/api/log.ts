import { Type, type Static } from 'typebox';
import { named, page, ref, timestamp } from './schema.ts';

/** Output of a deployment's steps, line by line. */

export const logLineSchema = named(
  'LogLine',
  Type.Object({
    line: Type.Integer({ description: 'Counts up through the whole deployment.' }),
    attempt: Type.Integer(),
    step: Type.String({ description: 'checkout, plan, apply or rollout.' }),
    at: timestamp,
    text: Type.String(),
  }),
);

export const logPageSchema = page('LogPage', ref(logLineSchema));

export type LogPage = Static<typeof logPageSchema>;
