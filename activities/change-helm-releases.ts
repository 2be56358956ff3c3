import type { Helmfile } from '../src/adapters/helmfile/helmfile.ts';
import type { DeploymentRef } from '../src/contract/workflow/payloads.ts';
import { SlipwayError } from '../src/domain/errors.ts';
import { formatHolder, type Holder } from '../src/domain/lease.ts';
import type { ClusterDeps } from './cluster-deps.ts';
import { healHelmReleases } from './heal-helm-releases.ts';

interface Change {
  deployment: DeploymentRef;
  attempt: number;
  operation: Holder['operation'];
  /** The holder whose Lease may be taken, because it is proved dead; else empty. */
  deadHolder: string;
  /** The services whose Helm releases are changed. */
  services: readonly string[];
}

/**
 * Changes Helm releases under the environment's Lease. When that fails or is cancelled, every process of
 * it is gone and no release is left pending before the Lease is given back.
 */
export function changeHelmReleases<T>(
  deps: ClusterDeps,
  { deployment, attempt, operation, deadHolder, services }: Change,
  signal: AbortSignal,
  work: (helmfile: Helmfile) => Promise<T>,
): Promise<T> {
  const { deploymentId } = deployment;
  const holder = formatHolder({ deploymentId, attempt, operation, process: deps.processes.me });
  const cluster = deps.cluster(deployment);
  return cluster.lease.hold(holder, deadHolder, signal, async (held) => {
    try {
      return await deps.withHelmfile(deployment, attempt, held, work);
    } catch (error) {
      // Whoever lost the Lease is no longer alone: the next attempt looks at what is left.
      if (!(held.reason instanceof SlipwayError)) {
        // What cannot be healed now is healed before the next attempt; the reason of the end stays.
        await healHelmReleases(cluster, services, operation).catch(() => undefined);
      }
      throw error;
    }
  });
}
