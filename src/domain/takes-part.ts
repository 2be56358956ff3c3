import { isEnd, type DeploymentPhase } from './phases.ts';

/** What a commit says of an environment. */
interface Asked {
  /** Digest over its evaluated inputs; absent where nobody can tell. */
  inputs?: string;
  /** The accepted commit from which this one was seen to descend. */
  descendsFrom?: string;
}

/** What is known of the environment. */
interface Known {
  acceptedCommit: string | null;
  acceptedInputs: string | null;
  /** Of its newest deployment, of whatever release. */
  newestPhase: DeploymentPhase;
}

/**
 * Whether a merge leaves an environment untouched: it says the same of it as the commit that the environment
 * accepted last. When in doubt it takes part: while something waits or runs there, which it has to come after,
 * and where Slipway could not bring the last one to its end.
 */
export function isUntouched(asked: Asked, known: Known): boolean {
  const { acceptedCommit, acceptedInputs, newestPhase } = known;
  if (asked.inputs === undefined || asked.inputs !== acceptedInputs) return false;
  if (acceptedCommit === null || asked.descendsFrom !== acceptedCommit) return false;
  return isEnd(newestPhase) && newestPhase !== 'errored';
}
