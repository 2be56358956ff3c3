import { isEnd, satisfies, type DeploymentPhase } from './phases.ts';

/** One environment of a release: `unsubmitted` until its lane has been asked. */
export interface EnvironmentState {
  name: string;
  /** Environments that must succeed first; names outside this release count as untouched. */
  after: readonly string[];
  phase: DeploymentPhase | 'unsubmitted';
}

export interface NextSteps {
  submit: string[];
  skip: { environment: string; because: string }[];
  finished: boolean;
}

/** Decides what a release does next on its way through the environments' graph. */
export function decideNext(
  environments: readonly EnvironmentState[],
  options: { cancelled: boolean },
): NextSteps {
  const byName = new Map(environments.map((environment) => [environment.name, environment]));
  const steps: NextSteps = { submit: [], skip: [], finished: true };
  for (const environment of environments) {
    if (environment.phase !== 'unsubmitted') {
      if (!isEnd(environment.phase)) steps.finished = false;
      continue;
    }
    steps.finished = false;
    if (options.cancelled) continue;
    const before = environment.after.flatMap((name) => byName.get(name) ?? []);
    const blocker = before.find(
      ({ phase }) => phase !== 'unsubmitted' && isEnd(phase) && !satisfies(phase),
    );
    if (blocker) steps.skip.push({ environment: environment.name, because: blocker.name });
    else if (before.every(({ phase }) => phase !== 'unsubmitted' && satisfies(phase))) {
      steps.submit.push(environment.name);
    }
  }
  return steps;
}
