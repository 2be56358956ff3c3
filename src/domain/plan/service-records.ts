import type { CauseReport } from '../cause.ts';
import type { EndPhase } from '../phases.ts';
import type { PlannedService, RolloutJudgement } from '../services.ts';

/** What is to be remembered of one service after a deployment. */
export interface ServiceRecord extends PlannedService {
  end: 'succeeded' | 'failed' | 'removed';
  cause?: CauseReport;
}

/** A service that the plan leaves alone, though there is something to say about it. */
export interface UntouchedService {
  name: string;
  /** `blocked` failed with this very input, and nobody has asked to try it again. */
  state: 'held' | 'orphaned' | 'blocked';
  note: string;
  cause?: CauseReport;
}

/**
 * What a deployment proved of each service. Only services that definitely failed are remembered as
 * failed with their input; of what was merely interrupted the newest Helm revision tells enough.
 *
 * @param judgement the last look at the cluster, if there was one
 */
export function recordsOf(
  plan: { services: readonly PlannedService[]; adopted?: readonly PlannedService[] },
  end: { phase: EndPhase; cause?: CauseReport },
  judgement: RolloutJudgement | undefined,
): ServiceRecord[] {
  const adopted = (plan.adopted ?? []).map((service) => ({
    ...service,
    end: 'succeeded' as const,
  }));
  // A deployment may fail for what it did not touch, after all that it touched succeeded.
  if (judgement?.state === 'healthy' || end.phase === 'succeeded') {
    return [...adopted, ...plan.services.map((service) => succeeded(service, judgement))];
  }
  const isBad = end.phase === 'failed' || end.phase === 'rolled-back';
  if (!isBad || !end.cause) return adopted;
  const { cause } = end;
  const failed = plan.services.flatMap((service) => {
    const own = failureOf(service.name, plan.services, cause, judgement);
    return own ? [{ ...service, end: 'failed' as const, cause: own }] : [];
  });
  return [...adopted, ...failed];
}

function succeeded(
  service: PlannedService,
  judgement: RolloutJudgement | undefined,
): ServiceRecord {
  if (service.action === 'uninstall') return { ...service, end: 'removed' };
  const seen = judgement?.services.find((one) => one.service === service.name);
  const helmRevision = seen?.helmRevision;
  return { ...service, end: 'succeeded', ...(helmRevision === undefined ? {} : { helmRevision }) };
}

function failureOf(
  name: string,
  planned: readonly PlannedService[],
  cause: CauseReport,
  judgement: RolloutJudgement | undefined,
): CauseReport | undefined {
  if (cause.service === name) return cause;
  if (!judgement) return planned.length === 1 ? { ...cause, service: name } : undefined;
  const seen = judgement.services.find(({ service }) => service === name);
  // Out of time counts too: it did not become healthy.
  const isToBlame =
    seen?.state === 'failed' || (judgement.state !== 'failed' && seen?.state === 'progressing');
  return isToBlame ? { code: cause.code, sentence: seen.note, service: name } : undefined;
}
