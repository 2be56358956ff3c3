import { Type, type Static } from 'typebox';
import { OVERRIDABLE_GATES } from '../../domain/gates/facts.ts';
import { closed, named, nullable, reasonText, timestamp } from './schema.ts';

/** What keeps deployments waiting, and what lets them go on. */

const name = Type.String({ minLength: 1, maxLength: 63 });

export const stopSchema = named(
  'Stop',
  Type.Object({
    id: Type.String(),
    cluster: nullable(Type.String({ description: 'null: everything is stopped.' })),
    reason: Type.String(),
    by: Type.String(),
    since: timestamp,
  }),
);

export const stopListSchema = named('StopList', Type.Object({ items: Type.Array(stopSchema) }));

/** The body of POST /stops. */
export const addStopSchema = named(
  'AddStop',
  Type.Object({ cluster: Type.Optional(name), reason: reasonText }, closed),
);

export const freezeSchema = named(
  'Freeze',
  Type.Object(
    {
      id: Type.String(),
      cluster: nullable(Type.String()),
      repository: nullable(Type.String()),
      environment: nullable(Type.String()),
      from: timestamp,
      until: timestamp,
      reason: Type.String(),
      by: Type.String(),
    },
    { description: 'Of an environment, of a cluster, or of everything where all three are null.' },
  ),
);

export const freezeListSchema = named(
  'FreezeList',
  Type.Object({ items: Type.Array(freezeSchema) }),
);

/** The body of POST /freezes. */
export const addFreezeSchema = named(
  'AddFreeze',
  Type.Object(
    {
      cluster: Type.Optional(name),
      repository: Type.Optional(name),
      environment: Type.Optional(name),
      from: Type.Optional(timestamp),
      until: timestamp,
      reason: reasonText,
    },
    closed,
  ),
);

/** The body of POST /deployments/:id/approve and /reject. */
export const verdictSchema = named(
  'Verdict',
  Type.Object(
    {
      digest: Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'Of the plan that was looked at.',
      }),
      comment: Type.Optional(Type.String({ maxLength: 500 })),
    },
    closed,
  ),
);

/** The body of POST /deployments/:id/override. */
export const overrideSchema = named(
  'Override',
  Type.Object({ gate: Type.Enum(OVERRIDABLE_GATES), reason: reasonText }, closed),
);

export const approvalSchema = named(
  'Approval',
  Type.Object({
    person: Type.String(),
    verdict: Type.Enum(['approved', 'rejected']),
    comment: Type.String(),
    digest: Type.String(),
    at: timestamp,
  }),
);

export const gateSchemas = [
  stopSchema,
  stopListSchema,
  addStopSchema,
  freezeSchema,
  freezeListSchema,
  addFreezeSchema,
  verdictSchema,
  overrideSchema,
  approvalSchema,
];

export type Stop = Static<typeof stopSchema>;
export type Freeze = Static<typeof freezeSchema>;
export type Approval = Static<typeof approvalSchema>;
