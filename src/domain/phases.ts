/** The life of a deployment in words; design section 2. An end is never left. */

export const ACTIVE_PHASES = [
  'queued',
  'waiting',
  'planning',
  'applying',
  'verifying',
  'retrying',
] as const;

/** Worst first: a release shows the worst of its environments' newest deployments. */
export const END_PHASES = [
  'errored',
  'failed',
  'rolled-back',
  'cancelled',
  'skipped',
  'superseded',
  'succeeded',
  'unchanged',
] as const;

export const DEPLOYMENT_PHASES = [...ACTIVE_PHASES, ...END_PHASES] as const;
export const RELEASE_PHASES = ['queued', 'running', ...END_PHASES] as const;

export type EndPhase = (typeof END_PHASES)[number];
export type DeploymentPhase = (typeof DEPLOYMENT_PHASES)[number];
export type ReleasePhase = (typeof RELEASE_PHASES)[number];

/** True for a phase that is never left. */
export function isEnd(phase: DeploymentPhase): phase is EndPhase {
  return (END_PHASES as readonly string[]).includes(phase);
}

/** True for the ends that let the environments after this one go ahead. */
export function satisfies(phase: DeploymentPhase): boolean {
  return phase === 'succeeded' || phase === 'unchanged';
}

/** The phase of a release, from the newest deployment of each of its environments. */
export function releasePhase(deployments: readonly DeploymentPhase[]): ReleasePhase {
  if (deployments.length === 0) return 'unchanged';
  if (deployments.every((phase) => phase === 'queued')) return 'queued';
  if (!deployments.every(isEnd)) return 'running';
  return END_PHASES.find((phase) => deployments.includes(phase)) ?? 'unchanged';
}
