import { Type, type Static } from 'typebox';
import { HELM_FINDINGS } from '../../domain/drift/helm.ts';
import { causeSchema } from './deployment.ts';
import { planDiffSchema } from './diff.ts';
import { named, nullable, ref, timestamp } from './schema.ts';

/** What is not as the last success of each service left it. */
export const driftSchema = named(
  'Drift',
  Type.Object({
    repository: Type.String(),
    environment: Type.String(),
    lookedAt: nullable(
      Type.String({ format: 'date-time', description: 'Of the newest look that could be made.' }),
    ),
    since: nullable(
      Type.String({ format: 'date-time', description: 'null: nothing has drifted.' }),
    ),
    clearedAt: nullable(
      Type.String({ format: 'date-time', description: 'When the last drift was gone.' }),
    ),
    services: Type.Array(
      Type.Object({
        service: Type.String(),
        finding: Type.Enum(HELM_FINDINGS, {
          description:
            'missing: its Helm release is gone; revision: somebody made another one; status: Helm does not call it deployed; undeclared: Slipway did not deploy it.',
        }),
        note: Type.String(),
      }),
      { description: 'Of Helm’s releases.' },
    ),
    objects: nullable(ref(planDiffSchema)),
    notLookedAt: Type.Array(Type.Object({ what: Type.String(), why: Type.String() })),
    trouble: nullable(
      Type.Object(
        { at: timestamp, cause: ref(causeSchema) },
        { description: 'Why the newest look could not be made.' },
      ),
    ),
  }),
);

export type Drift = Static<typeof driftSchema>;
