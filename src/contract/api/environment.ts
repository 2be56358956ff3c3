import { Type, type Static } from 'typebox';
import { deploymentSummarySchema } from './deployment.ts';
import { commitId, named, nullable, page, ref, timestamp } from './schema.ts';

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

export const environmentSchema = named(
  'Environment',
  Type.Object({
    repository: Type.String(),
    name: Type.String(),
    cluster: Type.String(),
    namespace: Type.String(),
    acceptedCommit: nullable(commitId),
    deployment: nullable(ref(deploymentSummarySchema)),
    services: Type.Array(ref(runningServiceSchema)),
  }),
);

export const environmentPageSchema = page('EnvironmentPage', ref(environmentSchema));

export const environmentSchemas = [runningServiceSchema, environmentSchema, environmentPageSchema];

export type Environment = Static<typeof environmentSchema>;
export type EnvironmentPage = Static<typeof environmentPageSchema>;
