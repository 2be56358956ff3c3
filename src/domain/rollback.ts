import type { CauseReport } from './cause.ts';
import type { EndPhase } from './phases.ts';
import type { RecordedService } from './plan/plan-services.ts';
import type { HelmReleaseFacts, PlannedService } from './services.ts';

/** What takes one service back. */
export type RollbackStep =
  /** Helm returns to this revision, which it still has. */
  | { service: string; do: 'return'; to: number }
  /** Helm has returned already, before whoever did it was lost. */
  | { service: string; do: 'done'; to: number; helmRevision: number }
  /** Helm has nothing to return to: the commit of the last success is applied again. */
  | { service: string; do: 'apply-again'; commit: string }
  | { service: string; do: 'leave'; because: string };

export interface RollbackQuestion {
  /** With the revisions that ran before the deployment's first attempt. */
  planned: readonly PlannedService[];
  /** Every revision that Helm still has of these services. */
  history: readonly HelmReleaseFacts[];
  recorded: readonly RecordedService[];
  deploymentId: string;
}

/** Whether a deployment that ended so is taken back: only where the release itself is bad. */
export function isTakenBack(phase: EndPhase, cause: CauseReport): boolean {
  // A name in slipway.yaml that no workload has says nothing about the release.
  return phase === 'failed' && cause.code !== 'workload-missing';
}

/** Helm's description of a revision that a rollback makes: its labels are those of its target. */
export function rollbackDescription(deploymentId: string, to: number): string {
  return `slipway rollback ${deploymentId} to ${to}`;
}

/**
 * Decides what takes back everything that a deployment changed, and nothing else: a service that it did
 * not reach, or that somebody deployed since, is left alone. Asked again after an interruption it decides
 * what is left to do. A service that was not there before stays: nothing is removed unasked.
 */
export function decideRollback(question: RollbackQuestion): RollbackStep[] {
  return question.planned.flatMap((planned) => decideService(planned, question));
}

function decideService(
  { name: service, helmRevision: before, action }: PlannedService,
  { history, recorded, deploymentId }: RollbackQuestion,
): RollbackStep[] {
  const revisions = history.filter((release) => release.service === service);
  const newest = revisions.reduce<HelmReleaseFacts | undefined>(
    (last, one) => (last && last.helmRevision > one.helmRevision ? last : one),
    undefined,
  );
  const record = recorded.find(({ name }) => name === service);
  const again = (because: string): RollbackStep =>
    record?.commit === undefined
      ? { service, do: 'leave', because: `${because}, and no success of it is recorded` }
      : { service, do: 'apply-again', commit: record.commit };
  if (!newest || newest.status === 'uninstalled') {
    return action === 'uninstall' ? [again('it was uninstalled')] : [];
  }
  const wasReached = revisions.some(
    (one) => one.deploymentId === deploymentId && one.helmRevision > (before ?? 0),
  );
  if (!wasReached) return [];
  if (before === undefined) {
    return [{ service, do: 'leave', because: 'it was not there before' }];
  }
  const to = targetOf(revisions, before, record);
  if (newest.status === 'deployed' && !isMadeBy(newest, deploymentId)) {
    const isDone = to !== undefined && newest.description === rollbackDescription(deploymentId, to);
    return isDone ? [{ service, do: 'done', to, helmRevision: newest.helmRevision }] : [];
  }
  return [
    to === undefined
      ? again(`revision ${before} is gone from Helm's history or was not good`)
      : { service, do: 'return', to },
  ];
}

/**
 * What ran before the deployment; the last success instead, where what ran before was a failure or an
 * apply of Slipway's that never became healthy.
 */
function targetOf(
  revisions: readonly HelmReleaseFacts[],
  before: number,
  record: RecordedService | undefined,
): number | undefined {
  const good = (wanted: number | undefined) =>
    revisions.find(
      ({ helmRevision, status }) =>
        helmRevision === wanted && (status === 'deployed' || status === 'superseded'),
    );
  const ran = good(before);
  const success = record?.helmRevision;
  const wasNeverHealthy =
    ran?.description.startsWith('slipway ') && success !== undefined && success < before;
  return (wasNeverHealthy ? undefined : ran?.helmRevision) ?? good(success)?.helmRevision;
}

/** Helm's labels pass on to later revisions, also those made by hand; the description does not. */
function isMadeBy({ deploymentId, description }: HelmReleaseFacts, id: string): boolean {
  return deploymentId === id && description.startsWith('slipway ') && !isRollback(description);
}

function isRollback(description: string): boolean {
  return description.startsWith('slipway rollback ');
}
