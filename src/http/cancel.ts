import { deploymentSchema } from '../contract/api/deployment.ts';
import { problemSchema } from '../contract/api/problem.ts';
import { ref } from '../contract/api/schema.ts';
import { Refusal } from '../domain/errors.ts';
import { isEnd } from '../domain/phases.ts';
import type { AppDependencies } from './dependencies.ts';
import { mustFindDeployment } from './must-find.ts';
import { idParameter } from './queries.ts';
import type { App } from './server.ts';

/** Cancelling one deployment; what runs of it is ended, and the rest of its release goes on without it. */
export function addCancelRoutes(app: App, { store, orchestrator }: AppDependencies): void {
  app.post(
    '/api/v1/deployments/:id/cancel',
    {
      config: { permission: 'token' },
      schema: {
        summary: 'Cancels a deployment',
        tags: ['deployments'],
        params: idParameter,
        response: {
          202: ref(deploymentSchema),
          '4xx': ref(problemSchema),
          '5xx': ref(problemSchema),
        },
      },
    },
    async (request, reply) => {
      const deployment = await mustFindDeployment(store, request.params.id);
      const { id: deploymentId, number, phase, repository, commit, run } = deployment;
      if (isEnd(phase)) throw new Refusal('conflict', `Deployment ${number} has ended: ${phase}.`);
      const { actor: by, id: requestId } = request;
      // Before it happens: what was done must not be missing from the audit.
      const action = 'deployment.cancel';
      await store.audit.append({ actor: by, action, subject: deploymentId, requestId });
      const asked = { repository, commit, run, by, deploymentId };
      if ((await orchestrator.cancelRelease(asked)) === 'not-running') {
        throw new Refusal(
          'conflict',
          `Deployment ${number} is not on its way yet, or has just ended.`,
        );
      }
      const location = `/api/v1/deployments/${deploymentId}`;
      return reply.code(202).header('location', location).send(deployment);
    },
  );
}
