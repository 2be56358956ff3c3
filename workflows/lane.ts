import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  getExternalWorkflowHandle,
  isCancellation,
  setCurrentDetails,
  setHandler,
  sleep,
  startChild,
  workflowInfo,
  type ChildWorkflowHandle,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { deploymentWorkflowId, type LaneKey } from '../src/contract/workflow/ids.ts';
import {
  CANCEL_DEPLOYMENT_SIGNAL,
  CANCEL_SIGNAL,
  DEPLOYMENT_ENDED_SIGNAL,
  LANE_QUERY,
  SUBMIT_UPDATE,
  SUPERSEDE_SIGNAL,
  type CancelDeploymentInput,
  type CancelInput,
  type LaneView,
  type SubmitInput,
  type SubmitResult,
  type SupersedeInput,
} from '../src/contract/workflow/messages.ts';
import type {
  DeploymentEnd,
  DeploymentRequest,
  LaneState,
} from '../src/contract/workflow/payloads.ts';
import type { CauseReport } from '../src/domain/cause.ts';
import { supersededBy, takesPlaceOf } from '../src/domain/overtaking.ts';
import type { EndPhase } from '../src/domain/phases.ts';
import { acceptCommit, orderWaiting, recordOutcome, recordPhase } from './activity-options.ts';
import type { deploymentWorkflow } from './deployment.ts';
import { aimInWords, laneDetails, shortCommit } from './details.ts';
import { failedActivity } from './failures.ts';
import { findOutlived } from './outlived.ts';
import { searchAttributes } from './search-attributes.ts';

const submit = defineUpdate<SubmitResult, [SubmitInput]>(SUBMIT_UPDATE);
const cancelDeployment = defineSignal<[CancelDeploymentInput]>(CANCEL_DEPLOYMENT_SIGNAL);
const cancel = defineSignal<[CancelInput]>(CANCEL_SIGNAL);
const supersede = defineSignal<[SupersedeInput]>(SUPERSEDE_SIGNAL);
const deploymentEnded = defineSignal<[DeploymentEnd]>(DEPLOYMENT_ENDED_SIGNAL);
const laneQuery = defineQuery<LaneView>(LANE_QUERY);

// Enough for a release that asks again; older ends are answered from the store.
const ENDS_KEPT = 50;
const ORDER_AGAIN_MS = 30_000;
const ALMOST_GONE_MS = 1_000;
// Long enough that a busy day is one run, short enough that Temporal holds no lane that nobody uses.
const IDLE_MS = 10 * 60_000;

interface Running {
  request: DeploymentRequest;
  handle?: Pick<ChildWorkflowHandle<typeof deploymentWorkflow>, 'signal'>;
  end?: DeploymentEnd;
  /** A cancel that came before the deployment was started. */
  cancelledBy?: string;
  /** The waiting deployment that was told to it. */
  told?: string;
}

/**
 * The queue of one environment: one deployment at a time, newest waiting commit first, none lost. It ends
 * when nobody needs it, and the next deployment starts it again.
 */
export async function laneWorkflow(key: LaneKey, carried?: LaneState): Promise<void> {
  const { waiting, ends } = carried ?? { waiting: [], ends: [] };
  const cancelling: CancelDeploymentInput[] = [];
  let running: Running | undefined;
  // Order is decided after each arrival and before each start: what was accepted meanwhile counts.
  const queue: { order: 'needed' | 'later' | 'decided'; trouble?: string } = { order: 'needed' };

  setHandler(submit, ({ request }): SubmitResult => {
    const end = ends.find(({ deploymentId }) => deploymentId === request.deploymentId);
    if (end) return { answer: 'ended', end };
    const known = [running?.request, ...waiting].some(
      (one) => one?.deploymentId === request.deploymentId,
    );
    if (known) return { answer: 'known' };
    waiting.push(request);
    queue.order = 'needed';
    return { answer: 'queued' };
  });
  setHandler(cancelDeployment, (input) => {
    cancelling.push(input);
  });
  setHandler(laneQuery, (): LaneView => ({
    waiting,
    ends,
    ...(running ? { running: running.request.deploymentId } : {}),
  }));

  const tell = async (request: DeploymentRequest, end: DeploymentEnd) => {
    ends.push(end);
    ends.splice(0, ends.length - ENDS_KEPT);
    // A release that is gone needs no answer; its record is written.
    await getExternalWorkflowHandle(request.releaseWorkflowId)
      .signal(deploymentEnded, end)
      .catch(() => undefined);
  };
  const endUnstarted = async (request: DeploymentRequest, phase: EndPhase, cause: CauseReport) => {
    const { deploymentId, environment } = request;
    const end = { deploymentId, environment, phase, cause };
    await recordOutcome({ ...end, attempt: 0 });
    await tell(request, end);
  };
  const take = (deploymentId: string) => {
    const at = waiting.findIndex((request) => request.deploymentId === deploymentId);
    return at < 0 ? undefined : waiting.splice(at, 1)[0];
  };
  const mustRotate = () => workflowInfo().continueAsNewSuggested && !running;
  /** What waits first and is to take the place of what runs, unless that was told already. */
  const overtaking = () => {
    const [first] = waiting;
    if (!first || !running?.handle || running.end || queue.order !== 'decided') return undefined;
    return running.told !== first.deploymentId && takesPlaceOf(first, running.request)
      ? first
      : undefined;
  };

  const isIdle = () => !running && waiting.length === 0 && cancelling.length === 0;
  const hasWork = () =>
    cancelling.length > 0 ||
    (queue.order === 'needed' && waiting.length > 0) ||
    running?.end !== undefined ||
    overtaking() !== undefined ||
    (!running && waiting.length > 0 && queue.order === 'decided') ||
    mustRotate();

  if (!carried) await adopt();
  for (;;) {
    setCurrentDetails(laneDetails(running?.request, waiting, queue.trouble));
    if (!isIdle()) await condition(hasWork);
    else if (!(await condition(hasWork, IDLE_MS)) && isIdle()) return;
    const asked = cancelling.shift();
    if (asked) {
      const request = take(asked.deploymentId);
      if (request) {
        await endUnstarted(request, 'cancelled', {
          code: 'cancelled',
          sentence: `Cancelled by ${asked.by}.`,
        });
      } else if (running?.request.deploymentId === asked.deploymentId) {
        running.cancelledBy = asked.by;
        await running.handle?.signal(cancel, asked).catch(() => undefined);
      }
      continue;
    }
    if (running?.end) {
      const { request, end } = running;
      running = undefined;
      queue.order = 'needed';
      await tell(request, end);
      continue;
    }
    if (queue.order === 'needed' && waiting.length > 0) {
      await decide();
      continue;
    }
    const newer = overtaking();
    if (newer && running) {
      running.told = newer.deploymentId;
      await running.handle?.signal(supersede, asNewcomer(newer)).catch(() => undefined);
      continue;
    }
    if (mustRotate()) break;
    if (running || queue.order !== 'decided') continue;
    const request = waiting.shift();
    if (request) await start(request);
  }
  await condition(allHandlersFinished);
  await continueAsNew<typeof laneWorkflow>(key, { waiting, ends });

  async function decide(): Promise<void> {
    queue.order = 'decided';
    delete queue.trouble;
    const first = waiting[0];
    if (!first) return;
    const { repository, environment } = first;
    const candidates = waiting.map(({ deploymentId, commit, kind }) => ({
      deploymentId,
      commit,
      kind,
    }));
    const decision = await orderWaiting({ repository, environment, candidates }).catch(askLater);
    if (!decision) return;
    // What arrived meanwhile is not in the decision, and is decided next.
    const rank = ({ deploymentId }: DeploymentRequest) =>
      decision.keep.includes(deploymentId) ? decision.keep.indexOf(deploymentId) : Infinity;
    waiting.sort((a, b) => rank(a) - rank(b));
    for (const { deploymentId, why, by } of decision.refuse) {
      const request = take(deploymentId);
      if (!request) continue;
      const newer = waiting.find((one) => one.commit === by && why !== 'older-commit');
      const cause = newer ? supersededBy(newer) : { code: why, sentence: REFUSED[why](by) };
      await endUnstarted(request, 'superseded', cause);
    }
  }

  /** A git server that refuses us must not end the lane: what waits goes on waiting, and says why. */
  async function askLater(error: unknown): Promise<undefined> {
    if (isCancellation(error)) throw error;
    queue.order = 'later';
    const { cause } = failedActivity(error);
    const note = `Waits to be put in order: ${cause.sentence}`;
    queue.trouble = note;
    for (const { deploymentId } of waiting) {
      await recordPhase({ deploymentId, phase: 'queued', attempt: 0, note, cause });
    }
    void sleep(ORDER_AGAIN_MS).then(() => {
      if (queue.order === 'later') queue.order = 'needed';
    });
    return undefined;
  }

  async function start(request: DeploymentRequest): Promise<void> {
    // Noted before the first await, so that a repeated request finds it.
    const me: Running = { request };
    running = me;
    const { repository, environment, commit, deploymentId, releaseNumber, kind } = request;
    const accepting = { repository, environment, commit, deploymentId, releaseNumber, kind };
    const ended = await acceptCommit(accepting);
    if (ended) {
      running = undefined;
      await tell(request, ended);
      return;
    }
    let child: ChildWorkflowHandle<typeof deploymentWorkflow>;
    try {
      child = await startChild<typeof deploymentWorkflow>('deploymentWorkflow', {
        workflowId: deploymentWorkflowId(key),
        args: [request],
        // A lane that is lost must not take with it what it began; the next one finds it by the memo.
        parentClosePolicy: 'ABANDON',
        memo: { request },
        cancellationType: 'WAIT_CANCELLATION_COMPLETED',
        staticSummary: aimInWords(request),
        typedSearchAttributes: searchAttributes({
          repository,
          environment,
          commit,
          phase: 'queued',
          kind: request.kind,
          release: request.releaseId,
        }),
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      // A lost lane's last deed: it goes first, unless it gives way.
      running = undefined;
      waiting.unshift(request);
      queue.order = 'needed';
      if (me.cancelledBy !== undefined) cancelling.push({ deploymentId, by: me.cancelledBy });
      if (!(await adopt())) await sleep(ALMOST_GONE_MS);
      return;
    }
    me.handle = child;
    if (me.cancelledBy !== undefined) await child.signal(cancel, { by: me.cancelledBy });
    follow(me, child.result());
  }

  /** Takes over what runs already, because the lane that began it was lost. */
  async function adopt(): Promise<boolean> {
    const outlived = await findOutlived(key);
    if (!outlived) return false;
    const { request, handle, result } = outlived;
    take(request.deploymentId);
    running = { request, handle };
    follow(running, result());
    return true;
  }

  function follow(me: Running, result: Promise<DeploymentEnd>): void {
    void result.then(
      (end) => {
        me.end = end;
      },
      async (error: unknown) => {
        const sentence = `The deployment ended abnormally: ${error instanceof Error ? error.message : 'unknown'}.`;
        const { deploymentId, environment } = me.request;
        const cause: CauseReport = { code: 'worker-lost', sentence };
        const end: DeploymentEnd = { deploymentId, environment, phase: 'errored', cause };
        await recordOutcome({ ...end, attempt: 0 });
        me.end = end;
      },
    );
  }
}

function asNewcomer({ deploymentId, releaseNumber, commit, kind }: DeploymentRequest) {
  return { deploymentId, releaseNumber, commit, kind };
}

const REFUSED = {
  'older-commit': (by: string) =>
    `${shortCommit(by)} is newer and came here before. Rerun this one to deploy it on purpose.`,
  'newer-commit': (by: string) => `The newer ${shortCommit(by)} took its place in the queue.`,
  rollback: (by: string) => `The rollback to ${shortCommit(by)} took its place in the queue.`,
  'rewritten-history': (by: string) =>
    `The branch was rewritten: this commit does not descend from ${shortCommit(by)}. Rerun it to deploy it on purpose.`,
} as const;
