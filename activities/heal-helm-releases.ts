import { decideRemedy } from '../src/domain/heal.ts';
import type { Holder } from '../src/domain/lease.ts';
import type { ClusterView } from './cluster-deps.ts';

/** Helm's own limit where the repository names none; the template and helmfile's documents use it. */
const HELM_TIMEOUT_MS = 10 * 60_000;

/**
 * Marks as failed what was interrupted among these services' Helm releases. To be called only while
 * nobody can be at work on them: nobody holds the environment's Lease, or the caller does.
 *
 * @param interrupted the operation that is known to have been interrupted here, if any
 * @returns what was marked, and what has to be waited for because somebody else may be at work on it
 */
export async function healHelmReleases(
  cluster: Pick<ClusterView, 'helmReleases' | 'markHelmRevisionFailed'>,
  services: readonly string[],
  interrupted?: Holder['operation'],
): Promise<{ marked: string[]; waitFor?: string }> {
  const marked: string[] = [];
  let waitFor: string | undefined;
  for (const release of await cluster.helmReleases()) {
    if (!services.includes(release.service)) continue;
    const how = { helmTimeoutMs: HELM_TIMEOUT_MS, ...(interrupted ? { interrupted } : {}) };
    const remedy = decideRemedy(release, release.ageMs, how);
    if (remedy.do === 'wait') waitFor ??= remedy.because;
    if (remedy.do !== 'mark-failed') continue;
    await cluster.markHelmRevisionFailed(release, remedy.because);
    marked.push(remedy.because);
  }
  return { marked, ...(waitFor === undefined ? {} : { waitFor }) };
}
