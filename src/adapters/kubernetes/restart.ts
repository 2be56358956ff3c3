import { PatchStrategy } from '@kubernetes/client-node';
import type { RestartTarget } from '../../domain/restart.ts';
import { ask, type KubernetesApi } from './client.ts';

/**
 * On the pod template, so that the controller replaces the pods as in any rollout. A name of our own: what
 * `kubectl rollout restart` wrote stays as it was. No chart has it, so that Helm's three-way merge keeps
 * it, and neither Helm's manifest nor a rendered one shows it as a difference.
 */
const ANNOTATION = 'slipway-restart';

/**
 * Restarts workloads as `kubectl rollout restart` does, by a strategic merge patch of one annotation. The
 * same mark again changes nothing. All must exist before the first is touched: throws `workload-missing`.
 *
 * @param mark names the attempt that restarts
 */
export async function restartWorkloads(
  api: KubernetesApi,
  namespace: string,
  workloads: readonly RestartTarget[],
  mark: string,
): Promise<void> {
  const targets = workloads.map(({ kind, name }) => ({
    ...{ apiVersion: 'apps/v1', kind, metadata: { name, namespace } },
  }));
  for (const target of targets) {
    const doing = `looking for ${target.kind}/${target.metadata.name}, which is to be restarted`;
    await ask(doing, () => api.objects.read(target), 'workload-missing');
  }
  for (const target of targets) {
    const spec = { template: { metadata: { annotations: { [ANNOTATION]: mark } } } };
    await ask(`restarting ${target.kind}/${target.metadata.name}`, () =>
      api.objects.patch(
        { ...target, spec },
        ...([undefined, undefined, 'slipway', undefined] as const),
        PatchStrategy.StrategicMergePatch,
      ),
    );
  }
}
