import { Type, type Static } from 'typebox';
import { RELEASE_PHASES } from '../../domain/phases.ts';
import { deploymentSummarySchema } from './deployment.ts';
import { closed, commitId, named, nullable, page, reasonText, ref, timestamp } from './schema.ts';

/** One commit of a repository on its way through its environments. */

export const releaseSchema = named(
  'Release',
  Type.Object({
    id: Type.String(),
    number: Type.Integer(),
    repository: Type.String(),
    commit: commitId,
    title: nullable(Type.String({ description: 'First line of the commit’s message.' })),
    author: nullable(Type.String()),
    committedAt: nullable(timestamp),
    kind: Type.Enum(['automatic', 'manual'], { description: 'manual: a person asked.' }),
    actor: nullable(Type.String({ description: 'Who asked, for a manual release.' })),
    phase: Type.Enum(RELEASE_PHASES),
    note: Type.String({ description: 'Why nothing of it is under way yet; else empty.' }),
    runs: Type.Integer({ description: 'How often it was run again.' }),
    createdAt: timestamp,
    endedAt: nullable(timestamp),
    deployments: Type.Array(ref(deploymentSummarySchema), {
      description: 'The newest of each environment that takes part.',
    }),
    untouched: Type.Array(Type.String(), {
      description: 'Environments of which the commit says what the one before it said.',
    }),
  }),
);

export const releasePageSchema = page('ReleasePage', ref(releaseSchema));

const environmentName = Type.String({ minLength: 1, maxLength: 63 });

export const createReleaseSchema = named(
  'CreateRelease',
  Type.Object(
    {
      repository: Type.String({ minLength: 1, maxLength: 63 }),
      commit: Type.Optional(commitId),
    },
    closed,
  ),
);

export const rerunReleaseSchema = named(
  'RerunRelease',
  Type.Object(
    {
      environments: Type.Optional(
        Type.Array(environmentName, { minItems: 1, maxItems: 500, uniqueItems: true }),
      ),
      force: Type.Optional(
        Type.Boolean({ description: 'Plan every service, also what looks unchanged.' }),
      ),
      reason: Type.Optional(reasonText),
    },
    closed,
  ),
);

export type Release = Static<typeof releaseSchema>;
export type ReleasePage = Static<typeof releasePageSchema>;
