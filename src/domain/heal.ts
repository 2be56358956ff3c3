import type { Holder } from './lease.ts';
import type { HelmReleaseFacts } from './services.ts';

/** What is done to a Helm release before an attempt, so that helm can work on it again. */
export type Remedy =
  | { do: 'nothing' }
  /** Its status is set to failed: what changed it is proved dead. */
  | { do: 'mark-failed'; because: string }
  /** Somebody else may be at work: wait, and then ask a person. */
  | { do: 'wait'; because: string };

const INTERRUPTED = ['pending-install', 'pending-upgrade', 'pending-rollback', 'uninstalling'];
/** Helm writes nobody's labels, or those of the revision that it returns to. */
const UNLABELLED = ['pending-rollback', 'uninstalling'];
const MARGIN_MS = 5 * 60_000;

/**
 * Decides how the newest revision of a Helm release is healed. Called only when nobody holds the
 * environment's Lease, so an interrupted revision that Slipway made has lost its maker. The Secret is
 * never deleted: history would go with it (helm#7476, helm#10599).
 *
 * @param ageMs since the revision's last change
 * @param how.helmTimeoutMs how long helm may work on one release
 * @param how.interrupted the operation of Slipway that is known to have been interrupted here, if any
 */
export function decideRemedy(
  release: HelmReleaseFacts,
  ageMs: number,
  how: { helmTimeoutMs: number; interrupted?: Holder['operation'] },
): Remedy {
  if (!INTERRUPTED.includes(release.status)) return { do: 'nothing' };
  // A rollback carries the labels of its target, which somebody else may have made.
  const rollback = /^slipway rollback (\S+)/.exec(release.description)?.[1];
  const maker = rollback === undefined ? release.deploymentId : `rollback of ${rollback}`;
  const what = `${release.service} is ${release.status} in revision ${release.helmRevision}`;
  if (maker !== undefined) {
    return { do: 'mark-failed', because: `${what}; the ${maker} that did it is gone` };
  }
  if (how.interrupted !== undefined && UNLABELLED.includes(release.status)) {
    return { do: 'mark-failed', because: `${what}; the ${how.interrupted} that did it is gone` };
  }
  const since = `${what} since ${Math.round(ageMs / 1_000)} s`;
  if (ageMs < how.helmTimeoutMs + MARGIN_MS) {
    return { do: 'wait', because: `${since}, by somebody other than Slipway` };
  }
  return {
    do: 'wait',
    because:
      `${since}, longer than helm works on a release. Slipway did not do it, so a person has to: ` +
      `helm rollback ${release.service}, or helm uninstall when it is the first revision`,
  };
}
