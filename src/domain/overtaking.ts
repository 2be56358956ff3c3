import type { CauseReport } from './cause.ts';

/** `manual` when a person asked; `rollback` when a person asked for an earlier release again. */
export const DEPLOYMENT_KINDS = ['automatic', 'manual', 'rollback'] as const;
export type DeploymentKind = (typeof DEPLOYMENT_KINDS)[number];

/** Who comes into a lane, as far as its rank is decided by it. */
interface Newcomer {
  kind: DeploymentKind;
  releaseNumber: number;
  commit: string;
}

/**
 * Whether a newcomer takes the place of a deployment that runs and could still be left: what a person
 * asked for yields to a rollback only, an automatic deployment to all that its lane puts before others.
 */
export function takesPlaceOf(
  newcomer: { kind: DeploymentKind },
  running: { kind: DeploymentKind },
): boolean {
  return running.kind === 'automatic' || newcomer.kind === 'rollback';
}

const CODES = {
  automatic: 'newer-commit',
  manual: 'manual-release',
  rollback: 'rollback',
} as const satisfies Record<DeploymentKind, string>;

/** How far a deployment had come that is left before its end. */
export interface Left {
  /** The apply had gone through, and was not verified. */
  applied: boolean;
  takingBack: boolean;
  /** The last attempt that failed. */
  failed?: { attempt: number; cause: CauseReport } | undefined;
}

const NOTHING_BEGUN: Left = { applied: false, takingBack: false };

/** Why a deployment ends as superseded: names the release that took its place. */
export function supersededBy(
  { kind, releaseNumber, commit }: Newcomer,
  { failed, applied }: Left = NOTHING_BEGUN,
): CauseReport {
  const release = `${kind === 'rollback' ? 'The rollback to release' : 'Release'} #${releaseNumber}`;
  const asked = kind === 'manual' ? ', which a person asked for,' : '';
  const taken = `${release} (${commit.slice(0, 8)})${asked} took its place.`;
  const before = failed ? ` Attempt ${failed.attempt} had failed: ${failed.cause.sentence}` : '';
  const after = applied && !failed ? ' It was applied, but not verified.' : '';
  return { code: CODES[kind], sentence: `${taken}${before}${after}` };
}

/** Why a deployment ends as cancelled. @param by undefined for who did it in Temporal */
export function cancelledCause(by: string | undefined, { applied, takingBack }: Left): CauseReport {
  const who = by === undefined ? 'Cancelled in Temporal' : `Cancelled by ${by}`;
  const when = takingBack
    ? ', while it was taken back: what was not done yet is left as it is.'
    : applied
      ? ', after the apply had gone through: not verified.'
      : '.';
  return { code: 'cancelled', sentence: `${who}${when}` };
}
