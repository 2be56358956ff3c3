import type { ClusterActivities } from '../src/contract/workflow/activities.ts';
import type { ClusterDeps } from './cluster-deps.ts';
import { beating } from './heartbeat.ts';

/** Looks at Helm's releases as they are; of what they applied only keyed digests leave. */
export function createReadReleases(deps: ClusterDeps): ClusterActivities['readReleases'] {
  return (deployment) =>
    beating(async () => {
      const cluster = deps.cluster(deployment);
      const helmReleases = await cluster.helmReleases();
      const manifests = await cluster.manifests(helmReleases.map(({ service }) => service));
      return helmReleases.map(({ service, helmRevision, status }) => ({
        ...{ service, helmRevision, status },
        manifest: deps.digest(deployment, [manifests.get(service) ?? '']),
      }));
    });
}
