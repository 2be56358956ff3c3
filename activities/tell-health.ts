import type { HealthSink } from '../src/contract/health-sink.ts';
import { healthOf } from '../src/domain/health.ts';
import type { WorkloadVerdict } from '../src/domain/rollout.ts';
import type { RolloutJudgement } from '../src/domain/services.ts';

/** What one look found. */
export interface Look {
  judgement: RolloutJudgement;
  verdicts: readonly WorkloadVerdict[];
}

/** Hands in what the looks of one watch found, whenever that changed. `late`: the time is up. */
export function createTellHealth(
  sink: HealthSink,
  { deploymentId, partial }: { deploymentId: string; partial: boolean },
): (look: Look, late?: boolean) => Promise<void> {
  let last = '';
  return async ({ judgement, verdicts }, late = false) => {
    const services = healthOf(judgement, verdicts, late);
    const now = JSON.stringify(services);
    if (now === last || services.length === 0) return;
    last = now;
    const record = { deploymentId, at: new Date().toISOString(), services };
    // It tells people how far a rollout is, and must not decide what becomes of it.
    await sink.store({ ...record, ...(partial ? { partial } : {}) }).catch(() => undefined);
  };
}
