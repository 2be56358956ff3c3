import type { WorkloadVerdict } from './rollout.ts';
import type { RolloutJudgement } from './services.ts';

/** How well what a deployment left runs, as it was seen last; the worst first. */
export const HEALTH_STATES = ['degraded', 'progressing', 'asleep', 'healthy'] as const;
export type HealthState = (typeof HEALTH_STATES)[number];

interface WorkloadHealth {
  /** Such as `Deployment/api`. */
  workload: string;
  state: HealthState;
  /** For people: how far it is, or what is wrong. */
  note: string;
}

export interface ServiceHealth {
  service: string;
  state: HealthState;
  note: string;
  workloads: WorkloadHealth[];
}

/**
 * What one look found, service by service.
 *
 * @param late the time is up, so that what is not healthy yet is degraded
 */
export function healthOf(
  judgement: RolloutJudgement,
  verdicts: readonly WorkloadVerdict[],
  late: boolean,
): ServiceHealth[] {
  const stateOf = (state: string, asleep: boolean): HealthState => {
    if (state === 'healthy') return asleep ? 'asleep' : 'healthy';
    return state === 'failed' || late ? 'degraded' : 'progressing';
  };
  return judgement.services.map(({ service, state, note, health }) => ({
    service,
    state: stateOf(state, health === 'asleep'),
    note,
    workloads: verdicts
      .filter((verdict) => verdict.service === service && !verdict.hook)
      .map((verdict) => ({
        workload: verdict.workload,
        state: stateOf(verdict.state, verdict.asleep === true),
        note: verdict.trouble?.sentence ?? verdict.note ?? verdict.progress,
      })),
  }));
}

/**
 * What is known after a look: what it did not look at stays as it was seen before.
 *
 * @param partial it looked at some workloads of its services only
 */
export function mergeHealth(
  known: readonly ServiceHealth[],
  seen: readonly ServiceHealth[],
  partial: boolean,
): ServiceHealth[] {
  const merged = new Map(known.map((one) => [one.service, one]));
  for (const news of seen) {
    const before = merged.get(news.service);
    merged.set(news.service, partial && before ? withWorkloads(before, news) : news);
  }
  return [...merged.values()].sort((a, b) => (a.service < b.service ? -1 : 1));
}

function withWorkloads(before: ServiceHealth, { service, note, workloads }: ServiceHealth) {
  const names = new Set(workloads.map(({ workload }) => workload));
  const all = [...before.workloads.filter(({ workload }) => !names.has(workload)), ...workloads];
  return { service, state: worstHealth(all), note, workloads: all };
}

/** The state of all of them: the worst. */
export function worstHealth(services: readonly { state: HealthState }[]): HealthState {
  return (
    HEALTH_STATES.find((state) => services.some((service) => service.state === state)) ?? 'healthy'
  );
}
