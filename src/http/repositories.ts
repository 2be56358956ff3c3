import { Type } from 'typebox';
import { inboxEntrySchema } from '../contract/api/inbox.ts';
import { problemSchema } from '../contract/api/problem.ts';
import {
  repositoryPageSchema,
  repositorySchema,
  type Repository,
} from '../contract/api/repository.ts';
import { ref } from '../contract/api/schema.ts';
import { Refusal } from '../domain/errors.ts';
import type { AppDependencies } from './dependencies.ts';
import { nameParameter } from './queries.ts';
import type { App } from './server.ts';

const config = { permission: 'token' } as const;
const problems = { '4xx': ref(problemSchema), '5xx': ref(problemSchema) };
const tags = ['repositories'];
const params = Type.Object({ name: nameParameter });

/** Repositories: what their branches point at, whether they can be read, and what waits to come in. */
export function addRepositoryRoutes(
  app: App,
  { store, repositories }: Pick<AppDependencies, 'store' | 'repositories'>,
): void {
  app.get(
    '/api/v1/repositories',
    {
      config,
      schema: {
        summary: 'Lists repositories in the order of the configuration',
        tags,
        response: { 200: ref(repositoryPageSchema), ...problems },
      },
    },
    async () => {
      const items = await Promise.all([...repositories().keys()].map(mustFind));
      return { items, nextCursor: null };
    },
  );

  app.get(
    '/api/v1/repositories/:name',
    {
      config,
      schema: {
        summary: 'Shows what was seen of a repository’s branch',
        tags,
        params,
        response: { 200: ref(repositorySchema), ...problems },
      },
    },
    ({ params }) => mustFind(params.name),
  );

  app.post(
    '/api/v1/repositories/:name/poll',
    {
      config,
      schema: {
        summary: 'Looks at the branch now, and releases its head unless it has a release',
        tags,
        params,
        response: { 202: ref(inboxEntrySchema), ...problems },
      },
    },
    async ({ params: { name }, actor, id: requestId }, reply) => {
      const { branch } = await mustFind(name);
      const look = { repository: name, ref: `refs/heads/${branch}` };
      const id = await store.inbox.addLook({ ...look, asked: { actor, requestId } });
      const entry = await store.inboxEntries.find(id);
      if (!entry) throw new Error(`the row ${id} vanished`);
      return reply.code(202).header('location', `/api/v1/inbox/${id}`).send(entry);
    },
  );

  async function mustFind(name: string): Promise<Repository> {
    const repository = repositories().get(name);
    if (!repository) throw new Refusal('not-found', `There is no repository ${name}.`);
    const { url, branch, pollMs } = repository;
    return { name, url, branch, pollEveryMs: pollMs ?? null, ...(await store.polls.find(name)) };
  }
}
