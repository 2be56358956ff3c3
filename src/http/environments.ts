import { Type } from 'typebox';
import type { Store } from '../adapters/postgres/store.ts';
import { environmentPageSchema, environmentSchema } from '../contract/api/environment.ts';
import { problemSchema } from '../contract/api/problem.ts';
import { ref } from '../contract/api/schema.ts';
import { Refusal } from '../domain/errors.ts';
import { cursorParameter, limitOf, limitParameter, nameParameter } from './queries.ts';
import type { App } from './server.ts';

const config = { permission: 'token' } as const;
const problems = { '4xx': ref(problemSchema), '5xx': ref(problemSchema) };
const tags = ['environments'];

/** Environments: what runs where, and the newest deployment of each. */
export function addEnvironmentRoutes(app: App, store: Pick<Store, 'environments'>): void {
  app.get(
    '/api/v1/environments',
    {
      config,
      schema: {
        summary: 'Lists environments in the order of the configuration',
        tags,
        querystring: Type.Object(
          { limit: limitParameter, cursor: cursorParameter },
          { additionalProperties: false },
        ),
        response: { 200: ref(environmentPageSchema), ...problems },
      },
    },
    ({ query }) => store.environments.list({ ...query, limit: limitOf(query) }),
  );

  app.get(
    '/api/v1/environments/:repository/:name',
    {
      config,
      schema: {
        summary: 'Shows an environment',
        tags,
        params: Type.Object({ repository: nameParameter, name: nameParameter }),
        response: { 200: ref(environmentSchema), ...problems },
      },
    },
    async ({ params: { repository, name } }) => {
      const environment = await store.environments.find(repository, name);
      if (!environment) {
        throw new Refusal('not-found', `There is no environment ${repository}/${name}.`);
      }
      return environment;
    },
  );
}
