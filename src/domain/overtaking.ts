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

/** Why a deployment ends as superseded: names the release that took its place. */
export function supersededBy({ kind, releaseNumber, commit }: Newcomer): CauseReport {
  const release = `${kind === 'rollback' ? 'The rollback to release' : 'Release'} #${releaseNumber}`;
  const asked = kind === 'manual' ? ', which a person asked for,' : '';
  const sentence = `${release} (${commit.slice(0, 8)})${asked} took its place.`;
  return { code: CODES[kind], sentence };
}
