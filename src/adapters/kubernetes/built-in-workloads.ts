import type { V1LabelSelector, V1ObjectMeta } from '@kubernetes/client-node';
import type { WorkloadFacts } from '../../domain/workload.ts';
import { listAutoscaled } from './autoscaled.ts';
import type { KubernetesApi } from './client.ts';
import {
  barePodFacts,
  daemonSetFacts,
  deploymentFacts,
  jobFacts,
  statefulSetFacts,
} from './workload-facts.ts';

/** A workload that was found. */
export interface Listed {
  facts: WorkloadFacts;
  metadata: V1ObjectMeta | undefined;
}

/** Kinds whose rollout Kubernetes itself drives. */
export const BUILT_IN = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'Pod']);

/** A namespace may hold hundreds of objects that nobody asks about, and reading them takes time each. */
const FEW = 8;

/** The workloads of these kinds and names, and maybe others of the namespace, with their pods. */
export async function listBuiltIn(
  api: KubernetesApi,
  namespace: string,
  declared: readonly { kind: string; name: string }[],
): Promise<Listed[]> {
  const asked = declared.filter(({ kind }) => BUILT_IN.has(kind));
  const areFew = asked.length <= FEW;
  const of = <T extends { metadata?: V1ObjectMeta }>(kind: string, list: List<T>): Promise<T[]> => {
    const names = asked.filter((one) => one.kind === kind).map(({ name }) => name);
    const each = names.map((name) => ({ namespace, fieldSelector: `metadata.name=${name}` }));
    return listAll(areFew || names.length === 0 ? each : [{ namespace }], list);
  };
  const [deployments, statefulSets, daemonSets, jobs, barePods] = await Promise.all([
    of('Deployment', (where) => api.apps.listNamespacedDeployment(where)),
    of('StatefulSet', (where) => api.apps.listNamespacedStatefulSet(where)),
    of('DaemonSet', (where) => api.apps.listNamespacedDaemonSet(where)),
    of('Job', (where) => api.batch.listNamespacedJob(where)),
    of('Pod', (where) => api.core.listNamespacedPod(where)),
  ]);
  const theirs = (owners: readonly { spec?: { selector?: V1LabelSelector } }[]): Where[] =>
    areFew || owners.length === 0
      ? owners.map(({ spec }) => ({ namespace, labelSelector: selectorText(spec?.selector) }))
      : [{ namespace }];
  const [replicaSets, pods, autoscaled] = await Promise.all([
    listAll(theirs(deployments), (where) => api.apps.listNamespacedReplicaSet(where)),
    listAll(theirs([...deployments, ...statefulSets, ...daemonSets, ...jobs]), (where) =>
      api.core.listNamespacedPod(where),
    ),
    deployments.length > 0 ? listAutoscaled(api, namespace) : new Set<string>(),
  ]);
  return [
    ...deployments.map((item) => ({
      facts: {
        ...deploymentFacts(item, replicaSets, pods),
        ...(autoscaled.has(`Deployment/${item.metadata?.name ?? ''}`)
          ? { autoscaled: true as const }
          : {}),
      },
      metadata: item.metadata,
    })),
    ...statefulSets.map((item) => ({
      facts: statefulSetFacts(item, pods),
      metadata: item.metadata,
    })),
    ...daemonSets.map((item) => ({ facts: daemonSetFacts(item, pods), metadata: item.metadata })),
    ...jobs.map((item) => ({ facts: jobFacts(item, pods), metadata: item.metadata })),
    ...barePods.map((item) => ({
      facts: barePodFacts(item),
      metadata: item.metadata,
    })),
  ];
}

interface Where {
  namespace: string;
  fieldSelector?: string;
  labelSelector?: string;
}

/** One request. */
type List<T> = (where: Where) => Promise<{ items: T[] }>;

async function listAll<T extends { metadata?: V1ObjectMeta }>(
  places: readonly Where[],
  list: List<T>,
): Promise<T[]> {
  const items = (await Promise.all(places.map(list))).flatMap((answer) => answer.items);
  // Selectors may overlap.
  return [...new Map(items.map((item) => [item.metadata?.uid, item])).values()];
}

/** A selector of labels as a query; all objects, where there is none. */
function selectorText(selector?: V1LabelSelector): string {
  const matchLabels = selector?.matchLabels ?? {};
  const matchExpressions = selector?.matchExpressions ?? [];
  const expressions = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator.toLowerCase()} (${values.join(',')})`;
  });
  const labels = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  return [...labels, ...expressions].join(',');
}
