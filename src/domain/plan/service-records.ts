import type { CauseReport } from '../cause.ts';
import type { EndPhase } from '../phases.ts';
import type { PlannedService, RolloutJudgement } from '../services.ts';

/** What is to be remembered of one service after a deployment. */
export interface ServiceRecord extends PlannedService {
  end: 'succeeded' | 'failed' | 'removed' | 'taken-back';
  cause?: CauseReport;
  /** Of what was taken back: the revision that Helm returned to; absent where a commit was applied again. */
  from?: number;
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
  const failed = plan.services.flatMap((service): ServiceRecord[] => {
    const own = failureOf(service.name, cause, judgement);
    return own ? [{ ...service, end: 'failed', cause: own }] : [];
  });
  const [only, ...others] = plan.services;
  if (failed.length > 0 || !only || others.length > 0) return [...adopted, ...failed];
  // Another service is to blame, such as one whose workload was restarted in the end.
  if (cause.service !== undefined) return adopted;
  // Helm may have left nothing to look at, as after an install that it took back.
  return [...adopted, { ...only, end: 'failed', cause: { ...cause, service: only.name } }];
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
  cause: CauseReport,
  judgement: RolloutJudgement | undefined,
): CauseReport | undefined {
  if (cause.service === name) return cause;
  const seen = judgement?.services.find(({ service }) => service === name);
  // Out of time counts too: it did not become healthy.
  const isToBlame =
    seen?.state === 'failed' || (judgement?.state !== 'failed' && seen?.state === 'progressing');
  return seen && isToBlame ? { code: cause.code, sentence: seen.note, service: name } : undefined;
}
