import type { HelmReleaseFacts, PlannedService, RolloutJudgement } from './services.ts';

/** Services that a schedule switched off when they were deployed, and that are verified when it wakes them. */

/** Those of which the revision that was left is still the newest: the others are somebody else's by now. */
export function withoutReplaced(
  services: readonly PlannedService[],
  helmReleases: readonly HelmReleaseFacts[],
): PlannedService[] {
  return services.filter(({ name, helmRevision }) =>
    helmReleases.some((one) => one.service === name && one.helmRevision === helmRevision),
  );
}

/** Those that a look found awake, whether they are healthy yet or not. */
export function awakeServices(
  services: readonly PlannedService[],
  seen: RolloutJudgement | undefined,
): PlannedService[] {
  return services.filter(({ name }) =>
    seen?.services.some(({ service, health }) => service === name && health !== 'asleep'),
  );
}
