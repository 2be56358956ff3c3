import type { DeploymentKind } from './overtaking.ts';

/** Order of commits in a lane is git ancestry, never a clock, a count or arrival. */

export interface Candidate {
  deploymentId: string;
  commit: string;
  /** Ancestry refuses only what is automatic. */
  kind: DeploymentKind;
}

type Refusal = 'older-commit' | 'newer-commit' | 'rewritten-history' | 'rollback';

export interface OrderDecision {
  /** In the order in which they are to run. */
  keep: string[];
  /** `by` is the commit that stands in the way. */
  refuse: { deploymentId: string; why: Refusal; by: string }[];
}

/**
 * Decides which waiting deployments of an environment run, and in which order: a rollback, then what
 * people asked for, then of the automatic ones only the newest, which must descend from the last commit
 * that the environment accepted. A rollback replaces what people asked for before it, or that would
 * undo it.
 *
 * @param accepted the commit that the environment accepted last, if any
 * @param candidates in the order in which they came
 * @param isAncestor whether the first commit is an ancestor of the second, or the same
 */
export function decideOrder(
  accepted: string | undefined,
  candidates: readonly Candidate[],
  isAncestor: (older: string, newer: string) => boolean,
): OrderDecision {
  const people = decidePeople(candidates.filter(({ kind }) => kind !== 'automatic'));
  const automatic = candidates.filter(({ kind }) => kind === 'automatic');
  const rest = decideAutomatic(accepted, automatic, isAncestor);
  return { keep: [...people.keep, ...rest.keep], refuse: [...people.refuse, ...rest.refuse] };
}

function decidePeople(candidates: readonly Candidate[]): OrderDecision {
  const at = candidates.findLastIndex(({ kind }) => kind === 'rollback');
  const rollback = candidates[at];
  if (!rollback) return { keep: candidates.map(({ deploymentId }) => deploymentId), refuse: [] };
  return {
    keep: candidates.slice(at).map(({ deploymentId }) => deploymentId),
    refuse: candidates
      .slice(0, at)
      .map(({ deploymentId }) => ({ deploymentId, why: 'rollback', by: rollback.commit })),
  };
}

function decideAutomatic(
  accepted: string | undefined,
  candidates: readonly Candidate[],
  isAncestor: (older: string, newer: string) => boolean,
): OrderDecision {
  const decision: OrderDecision = { keep: [], refuse: [] };
  let newest: Candidate | undefined;
  for (const candidate of candidates) {
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
