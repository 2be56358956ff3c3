import { Type } from 'typebox';
import type { GoodRelease } from '../adapters/postgres/rollbacks.ts';
import type { Store } from '../adapters/postgres/store.ts';
import { rollBackEnvironmentSchema } from '../contract/api/environment.ts';
import { problemSchema } from '../contract/api/problem.ts';
import { releaseSchema } from '../contract/api/release.ts';
import { ref } from '../contract/api/schema.ts';
import { Refusal } from '../domain/errors.ts';
import { mustFindEnvironment } from './must-find.ts';
import { nameParameter } from './queries.ts';
import type { App } from './server.ts';
import type { Wake } from './wake.ts';

/** Takes an environment back to an earlier release that was good there. */
export function addRollbackRoute(
  app: App,
  store: Pick<Store, 'environments' | 'releases' | 'rollbacks'>,
  wake: Wake,
): void {
  app.post(
    '/api/v1/environments/:repository/:name/rollback',
    {
      config: { permission: 'token' },
      schema: {
        summary: 'Deploys an earlier good release again, and holds the environment',
        tags: ['environments'],
        params: Type.Object({ repository: nameParameter, name: nameParameter }),
        body: ref(rollBackEnvironmentSchema),
        response: { 202: ref(releaseSchema), '4xx': ref(problemSchema), '5xx': ref(problemSchema) },
      },
    },
    async ({ params, body, actor, id: requestId }, reply) => {
      const place = `${params.repository}/${params.name}`;
      const { mode } = await mustFindEnvironment(store, params);
      if (mode === 'observe') {
        throw new Refusal('conflict', `${place} is observed only: another pipeline deploys there.`);
      }
      const ordered = await store.rollbacks.order({ ...params, ...body, actor, requestId });
      switch (ordered.answer) {
        case 'unknown':
          throw new Refusal('not-found', `${place} never had a release ${body.to}.`);
        case 'never-good':
          throw new Refusal(
            'conflict',
            `Release #${ordered.number} never succeeded in ${place}. ${choice(ordered.good)}`,
          );
        case 'active':
          throw new Refusal(
            'conflict',
            `Release #${ordered.number} is on its way to ${place} already: wait for it, or cancel it first.`,
          );
        case 'ordered': {
          await wake({ repository: params.repository, environment: params.name });
          const release = await store.releases.find(ordered.releaseId);
          if (!release) throw new Error(`release ${ordered.releaseId} vanished`);
          return reply.code(202).header('location', `/api/v1/releases/${release.id}`).send(release);
        }
      }
    },
  );
}

function choice(good: readonly GoodRelease[]): string {
  if (good.length === 0) return 'No release has: rerun one that may, or revert the commit in git.';
  const names = good.map(({ number, commit }) => `#${number} (${commit.slice(0, 8)})`);
  return `The newest that did: ${names.join(', ')}.`;
}
