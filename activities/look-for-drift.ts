import type { ClusterActivities } from '../src/contract/workflow/activities.ts';
import { joinDiffs } from '../src/domain/diff/bound.ts';
import type { ServiceDiff } from '../src/domain/diff/plan-diff.ts';
import { findHelmDrift } from '../src/domain/drift/helm.ts';
import type { NotLookedAt } from '../src/domain/drift/report.ts';
import type { ClusterDeps } from './cluster-deps.ts';
import { beating } from './heartbeat.ts';

/** A report goes through a history, twice. */
const DIFF_BYTES_MAX = 64 * 1024;

/** Compares Helm's releases with what was left, and live objects with their manifests. Changes nothing. */
export function createLookForDrift(deps: ClusterDeps): ClusterActivities['lookForDrift'] {
  return ({ environment, recorded }) =>
    beating(async (signal) => {
      const cluster = deps.cluster(environment);
      await cluster.checkNamespace();
      const helmReleases = await cluster.helmReleases();
      const known = new Set(recorded.map(({ name }) => name));
      const names = helmReleases
        .filter(({ service, status }) => status === 'deployed' && known.has(service))
        .map(({ service }) => service);
      const [manifests, autoscaled] = await Promise.all([
        cluster.manifests(names),
        cluster.autoscaled(),
      ]);
      const diffs: ServiceDiff[] = [];
      const notLookedAt: NotLookedAt[] = [];
      for (const [service, manifest] of manifests) {
        signal.throwIfAborted();
        const found = await cluster.drift({ service, manifest, autoscaled });
        diffs.push(found.diff);
        notLookedAt.push(...found.notLookedAt);
      }
      return {
        services: findHelmDrift(recorded, helmReleases),
        objects: joinDiffs(diffs, DIFF_BYTES_MAX),
        notLookedAt,
      };
    });
}
