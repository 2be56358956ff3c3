import type { Store } from '../adapters/postgres/store.ts';
import type { Deployment } from '../contract/api/deployment.ts';
import { judgeQueue } from '../domain/queue.ts';
import type { AppDependencies } from './dependencies.ts';

/** A deployment with its place in the queue, while it is in one; its note says the same. */
export async function withQueue(
  store: Pick<Store, 'queues'>,
  repositories: AppDependencies['repositories'],
  deployment: Deployment,
): Promise<Deployment> {
  if (deployment.phase !== 'queued') return deployment;
  const { cluster, namespace, repository } = deployment;
  const { members, runs } = await store.queues.read({ cluster, namespace });
  const lane = `${cluster}/${namespace}`;
  const environments = repositories().get(repository)?.environments;
  const { place, behind, sentence } = judgeQueue(
    deployment,
    { name: lane, members },
    runs,
    (environment) => environments?.get(environment)?.after ?? [],
    new Date().toISOString(),
  );
  const shown = behind.map(({ id, number, environment, phase }) => ({
    ...{ id, number, environment, phase },
  }));
  return { ...deployment, note: sentence, queue: { lane, place, behind: shown, sentence } };
}
