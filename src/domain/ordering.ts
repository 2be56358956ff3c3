/** Order of commits in a lane is git ancestry, never a clock, a count or arrival. */

export interface Candidate {
  deploymentId: string;
  commit: string;
  /** A person asked: ancestry does not refuse it. */
  manual: boolean;
}

type Refusal = 'older-commit' | 'newer-commit' | 'rewritten-history';

export interface OrderDecision {
  /** In the order in which they are to run. */
  keep: string[];
  /** `by` is the commit that stands in the way. */
  refuse: { deploymentId: string; why: Refusal; by: string }[];
}

/**
 * Decides which waiting deployments of an environment run: all manual ones, and of the automatic ones
 * only the newest, which must descend from the last commit that the environment accepted.
 *
 * @param accepted the commit that the environment accepted last, if any
 * @param isAncestor whether the first commit is an ancestor of the second, or the same
 */
export function decideOrder(
  accepted: string | undefined,
  candidates: readonly Candidate[],
  isAncestor: (older: string, newer: string) => boolean,
): OrderDecision {
  const decision: OrderDecision = { keep: [], refuse: [] };
  let newest: Candidate | undefined;
  for (const candidate of candidates) {
    if (candidate.manual) {
      decision.keep.push(candidate.deploymentId);
      continue;
    }
    if (accepted !== undefined && !isAncestor(accepted, candidate.commit)) {
      const why = isAncestor(candidate.commit, accepted) ? 'older-commit' : 'rewritten-history';
      decision.refuse.push({ deploymentId: candidate.deploymentId, why, by: accepted });
      continue;
    }
    if (!newest) {
      newest = candidate;
      continue;
    }
    const [older, newer] = isAncestor(candidate.commit, newest.commit)
      ? [candidate, newest]
      : [newest, candidate];
    const why = older === candidate ? 'older-commit' : 'newer-commit';
    decision.refuse.push({ deploymentId: older.deploymentId, why, by: newer.commit });
    newest = newer;
  }
  if (newest) decision.keep.push(newest.deploymentId);
  return decision;
}
