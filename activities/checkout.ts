import type { ClusterActivities } from '../src/contract/workflow/activities.ts';
import type { ClusterDeps } from './cluster-deps.ts';
import { beating } from './heartbeat.ts';

/** Brings the commit to this cluster's worker and refuses a tree that is not accepted. */
export function createCheckout(deps: ClusterDeps): ClusterActivities['checkout'] {
  return (deployment) => beating((signal) => checkOut(deps, deployment, signal));
}

/** The same, for what has a heartbeat already. */
export async function checkOut(
  deps: Pick<ClusterDeps, 'mirror'>,
  { repository, commit }: { repository: string; commit: string },
  signal: AbortSignal,
) {
  const mirror = deps.mirror(repository);
  const { title, author, committedAt } = await mirror.commit(commit, signal);
  await mirror.checkTree(commit, signal);
  return { title, author, committedAt };
}
