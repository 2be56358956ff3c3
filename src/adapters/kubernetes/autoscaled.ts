import type { KubernetesApi } from './client.ts';

/** The workloads whose replicas an autoscaler decides, whoever made it, such as `Deployment/api`. */
export async function listAutoscaled(
  api: KubernetesApi,
  namespace: string,
): Promise<ReadonlySet<string>> {
  // Whoever may not list them sees a plain workload, which is the stricter judgement.
  const list = await api.autoscaling
    .listNamespacedHorizontalPodAutoscaler({ namespace })
    .catch(() => ({ items: [] }));
  return new Set(
    list.items.map(({ spec: { scaleTargetRef: target } }) => `${target.kind}/${target.name}`),
  );
}
