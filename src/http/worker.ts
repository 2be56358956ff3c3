import { Type } from 'typebox';
import type { Store } from '../adapters/postgres/store.ts';
import { problemSchema } from '../contract/api/problem.ts';
import { ref } from '../contract/api/schema.ts';
import { workerHealthSchema, workerLogSchema, workerPlanSchema } from '../contract/api/worker.ts';
import type { HealthRecord } from '../contract/health-sink.ts';
import type { LogLines } from '../contract/log-sink.ts';
import type { PlanDiffRecord } from '../contract/plan-sink.ts';
import { Refusal } from '../domain/errors.ts';
import type { App } from './server.ts';

const config = { permission: 'worker' } as const;
const tags = ['worker'];
const response = { 204: Type.Null(), '4xx': ref(problemSchema), '5xx': ref(problemSchema) };

/** What the worker of a cluster hands in: logs, plans and health of the deployments of that cluster. */
export function addWorkerRoutes(
  app: App,
  store: Pick<Store, 'deployments' | 'health' | 'logs'>,
): void {
  app.post<{ Body: LogLines }>(
    '/api/v1/worker/logs',
    {
      config,
      schema: {
        summary: 'Appends lines to the log of a deployment; those that it has are left out',
        tags,
        body: ref(workerLogSchema),
        response,
      },
    },
    async (request, reply) => {
      await checkCluster(request.body.deploymentId, request.cluster);
      await store.logs.append(request.body);
      return reply.code(204).send();
    },
  );

  app.post<{ Body: PlanDiffRecord }>(
    '/api/v1/worker/plans',
    {
      config,
      schema: {
        summary: 'Keeps what a plan changes',
        tags,
        body: ref(workerPlanSchema),
        response,
      },
    },
    async (request, reply) => {
      await checkCluster(request.body.deploymentId, request.cluster);
      await store.deployments.storePlanDiff(request.body);
      return reply.code(204).send();
    },
  );

  app.post<{ Body: HealthRecord }>(
    '/api/v1/worker/health',
    {
      config,
      schema: {
        summary: 'Keeps how well services of a deployment run',
        tags,
        body: ref(workerHealthSchema),
        response,
      },
    },
    async (request, reply) => {
      await checkCluster(request.body.deploymentId, request.cluster);
      await store.health.store(request.body);
      return reply.code(204).send();
    },
  );

  /** What runs on another cluster is not there for this worker. */
  async function checkCluster(deploymentId: string, cluster: string): Promise<void> {
    if ((await store.deployments.clusterOf(deploymentId)) === cluster) return;
    throw new Refusal('not-found', `Cluster ${cluster} has no deployment ${deploymentId}.`);
  }
}
