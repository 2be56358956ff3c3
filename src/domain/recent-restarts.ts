import type { ContainerFacts, WorkloadFacts } from './workload.ts';

/**
 * Tells the restarts of a rollout from those of the months before it: what a container had when it was
 * first seen does not count.
 *
 * @param firstSeen the restarts at first sight, by pod and container; filled here
 */
export function withRecentRestarts(
  workloads: readonly WorkloadFacts[],
  firstSeen: Map<string, number>,
): WorkloadFacts[] {
  const counted = (pod: string, container: ContainerFacts): ContainerFacts => {
    const key = `${pod}/${container.name}`;
    const before = firstSeen.get(key) ?? container.restarts;
    firstSeen.set(key, before);
    return { ...container, recentRestarts: container.restarts - before };
  };
  return workloads.map((workload) => ({
    ...workload,
    pods: workload.pods.map((pod) => ({
      ...pod,
      containers: pod.containers.map((container) => counted(pod.name, container)),
    })),
  }));
}

/** How often the containers of these workloads were restarted while they were watched. */
export function recentRestartsOf(workloads: readonly WorkloadFacts[]): number {
  return workloads
    .flatMap(({ pods }) => pods.flatMap(({ containers }) => containers))
    .reduce((sum, { recentRestarts = 0 }) => sum + recentRestarts, 0);
}
