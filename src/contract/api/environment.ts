import { Type, type Static } from 'typebox';
import { deploymentSummarySchema, modeSchema } from './deployment.ts';
import { closed, commitId, named, nullable, page, reasonText, ref, timestamp } from './schema.ts';

/** One namespace on one cluster, and what runs there. */

const runningServiceSchema = named(
  'RunningService',
  Type.Object({
    name: Type.String(),
    chart: Type.String(),
    chartVersion: nullable(Type.String()),
    commit: commitId,
    deploymentId: Type.String(),
    since: timestamp,
  }),
);

const holdSchema = named(
  'Hold',
  Type.Object(
    {
      reason: Type.String(),
      by: Type.String(),
      since: timestamp,
      until: nullable(timestamp),
    },
    { description: 'Merges stay away from this environment until a person resumes it.' },
  ),
);

/** The body of POST /environments/:repository/:name/hold. */
export const holdEnvironmentSchema = named(
  'HoldEnvironment',
  Type.Object({ reason: reasonText, until: Type.Optional(timestamp) }, closed),
);

/** The body of POST /environments/:repository/:name/resume. */
export const resumeEnvironmentSchema = named(
  'ResumeEnvironment',
  Type.Object({ reason: Type.Optional(reasonText) }, closed),
);

/** The body of POST /environments/:repository/:name/rollback. */
export const rollBackEnvironmentSchema = named(
  'RollBackEnvironment',
  Type.Object(
    {
      to: Type.String({
        pattern: '^((rel|dep)_[0-9a-f-]{36}|[1-9][0-9]{0,8}|[0-9a-f]{40})$',
        description:
          'A release that was good here: its id, short number or commit, or the id of its deployment.',
      }),
      reason: reasonText,
    },
    closed,
  ),
);

export const environmentSchema = named(
  'Environment',
  Type.Object({
    repository: Type.String(),
    name: Type.String(),
    cluster: Type.String(),
    namespace: Type.String(),
    mode: ref(modeSchema),
    acceptedCommit: nullable(commitId),
    hold: nullable(ref(holdSchema)),
    drift: nullable(
      Type.Object(
        { since: timestamp },
        {
          description:
            'Something is not as it was left: GET /environments/:repository/:name/drift.',
        },
      ),
    ),
    deployment: nullable(ref(deploymentSummarySchema)),
    services: Type.Array(ref(runningServiceSchema)),
  }),
);

export const environmentPageSchema = page('EnvironmentPage', ref(environmentSchema));

export const environmentSchemas = [
  runningServiceSchema,
  holdSchema,
  holdEnvironmentSchema,
  resumeEnvironmentSchema,
  rollBackEnvironmentSchema,
  environmentSchema,
  environmentPageSchema,
];

export type Environment = Static<typeof environmentSchema>;
export type Hold = Static<typeof holdSchema>;
export type EnvironmentPage = Static<typeof environmentPageSchema>;
