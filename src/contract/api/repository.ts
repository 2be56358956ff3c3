import { Type, type Static } from 'typebox';
import { commitId, named, nullable, page, ref, timestamp } from './schema.ts';

/** A deployment repository: what was seen of its branch, and what of it is on its way in. */

const polled = {
  polledAt: nullable(timestamp),
  head: nullable(
    Type.Object(
      { commit: commitId, seenAt: timestamp, releaseId: nullable(Type.String()) },
      { description: 'What the branch pointed at when the poll could last read it.' },
    ),
  ),
  trouble: nullable(
    Type.Object(
      { code: Type.String(), sentence: Type.String(), since: timestamp },
      { description: 'Why the branch cannot be read.' },
    ),
  ),
  inbox: Type.Object(
    { waiting: Type.Integer(), parked: Type.Integer() },
    { description: 'Events without a release yet: GET /inbox shows them.' },
  ),
};

export const repositorySchema = named(
  'Repository',
  Type.Object({
    name: Type.String(),
    url: Type.String(),
    branch: Type.String(),
    pollEveryMs: nullable(Type.Integer({ description: '`null`: the branch is not polled.' })),
    ...polled,
  }),
);

export const repositoryPageSchema = page('RepositoryPage', ref(repositorySchema));

export type Repository = Static<typeof repositorySchema>;

/** The part of it that the store knows. */
export type PolledRepository = Pick<Repository, keyof typeof polled>;
