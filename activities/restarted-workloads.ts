import type { HelmRelease } from '../src/adapters/kubernetes/helm-releases.ts';
import type { Released } from '../src/adapters/kubernetes/workloads.ts';
import { parseRestart } from '../src/domain/restart.ts';

/** What to look at after a restart: each workload, with the service that it belongs to where one has it. */
export function restartedWorkloads(
  workloads: readonly string[],
  helmReleases: readonly HelmRelease[],
): Released[] {
  return workloads.map((workload) => {
    const { kind, name } = parseRestart(workload);
    for (const { service, objects = [], since } of helmReleases) {
      const object = objects.find((one) => one.kind === kind && one.name === name);
      if (object) return { service, objects: [object], ...(since ? { since } : {}) };
    }
    const unknown = { apiVersion: 'apps/v1', images: [], hook: false, vanishes: false };
    return { service: name, objects: [{ kind, name, ...unknown }] };
  });
}
