import { Type } from 'typebox';
import type { Store } from '../adapters/postgres/store.ts';
import { driftSchema } from '../contract/api/drift.ts';
import { problemSchema } from '../contract/api/problem.ts';
import { ref } from '../contract/api/schema.ts';
import { Refusal } from '../domain/errors.ts';
import type { AppDependencies } from './dependencies.ts';
import { mustFindEnvironment } from './must-find.ts';
import { nameParameter } from './queries.ts';
import type { App } from './server.ts';

const config = { permission: 'token' } as const;
const problems = { '4xx': ref(problemSchema), '5xx': ref(problemSchema) };
const tags = ['environments'];
const params = Type.Object({ repository: nameParameter, name: nameParameter });

/** What is not as it was left in an environment. */
export function addDriftRoutes(
  app: App,
  store: Pick<Store, 'environments' | 'drift'>,
  orchestrator: Pick<AppDependencies['orchestrator'], 'lookForDrift'>,
): void {
  app.get(
    '/api/v1/environments/:repository/:name/drift',
    {
      config,
      schema: {
        summary: 'Shows what is not as it was left in an environment',
        tags,
        params,
        response: { 200: ref(driftSchema), ...problems },
      },
    },
    async ({ params }) => {
      const { repository, name } = await mustFindEnvironment(store, params);
      return store.drift.find({ repository, environment: name });
    },
  );

  app.post(
    '/api/v1/environments/:repository/:name/drift',
    {
      config,
      schema: {
        summary: 'Looks for drift now; what was found is shown by GET',
        tags,
        params,
        response: { 202: ref(driftSchema), ...problems },
      },
    },
    async ({ params }, reply) => {
      const { repository, name, cluster, namespace, mode } = await mustFindEnvironment(
        store,
        params,
      );
      if (mode === 'observe') {
        const place = `${repository}/${name}`;
        throw new Refusal('conflict', `${place} is observed only: what is there is not ours.`);
      }
      await orchestrator.lookForDrift({ repository, environment: name, cluster, namespace });
      const here = `/api/v1/environments/${repository}/${name}/drift`;
      const drift = await store.drift.find({ repository, environment: name });
      return reply.code(202).header('location', here).send(drift);
    },
  );
}
