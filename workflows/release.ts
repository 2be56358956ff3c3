import {
  condition,
  getExternalWorkflowHandle,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSignal } from '@temporalio/workflow';
import { laneWorkflowId } from '../src/contract/workflow/ids.ts';
import {
  CANCEL_DEPLOYMENT_SIGNAL,
  CANCEL_RELEASE_SIGNAL,
  DEPLOYMENT_ENDED_SIGNAL,
  type CancelDeploymentInput,
  type CancelReleaseInput,
} from '../src/contract/workflow/messages.ts';
import type {
  DeploymentEnd,
  DeploymentRequest,
  ReleaseInput,
  ReleaseTarget,
} from '../src/contract/workflow/payloads.ts';
import { CAUSES } from '../src/domain/errors.ts';
import { releasePhase, type EndPhase } from '../src/domain/phases.ts';
import { decideNext, type EnvironmentState } from '../src/domain/release.ts';
import { recordOutcome, startRelease, submitToLane } from './activity-options.ts';
import { releaseDetails, unreadDetails } from './details.ts';
import { readInputs } from './inputs.ts';
import { tellUi } from './search-attributes.ts';

const deploymentEnded = defineSignal<[DeploymentEnd]>(DEPLOYMENT_ENDED_SIGNAL);
const cancelRelease = defineSignal<[CancelReleaseInput]>(CANCEL_RELEASE_SIGNAL);

// A lane that was lost answers nothing: asking again restores its entry, at growing intervals.
const ASK_AGAIN_FIRST_MS = 5_000;
const ASK_AGAIN_MAX_MS = 15 * 60_000;

/** Takes one commit through the environments of its repository, in the order of their graph. */
export async function releaseWorkflow(input: ReleaseInput): Promise<DeploymentEnd[]> {
  const ends = new Map<string, DeploymentEnd>();
  const submitted = new Set<string>();
  const cancelSent = new Set<string>();
  const cancels = new Map<string, string>();
  let cancelledBy: string | undefined;
  let news = false;
  setHandler(deploymentEnded, (end) => {
    ends.set(end.deploymentId, end);
    news = true;
  });
  setHandler(cancelRelease, ({ by, deploymentId }) => {
    if (deploymentId === undefined) cancelledBy ??= by;
    else cancels.set(deploymentId, cancels.get(deploymentId) ?? by);
    news = true;
  });

  setCurrentDetails(unreadDetails(input));
  const {
    title,
    targets,
    cause: unreadable,
  } = await startRelease({
    ...input,
    inputs: await readInputs(input),
  });
  const phaseOf = (target: ReleaseTarget): EnvironmentState['phase'] =>
    ends.get(target.deploymentId)?.phase ??
    (submitted.has(target.deploymentId) ? 'queued' : 'unsubmitted');
  const end = async (target: ReleaseTarget, phase: EndPhase, cause: DeploymentEnd['cause']) => {
    const { deploymentId, environment } = target;
    const ended = { deploymentId, environment, phase, ...(cause ? { cause } : {}) };
    await recordOutcome({ ...ended, attempt: 0 });
    ends.set(deploymentId, ended);
  };
  const submit = async (target: ReleaseTarget) => {
    const answer = await submitToLane(deploymentRequest(input, title, target));
    submitted.add(target.deploymentId);
    if (answer.answer === 'ended') ends.set(target.deploymentId, answer.end);
  };

  if (unreadable) {
    // Nothing can be deployed, and whoever asks again must find this run ended.
    for (const target of targets) await end(target, CAUSES[unreadable.code].phase, unreadable);
  }

  let askAgainMs = ASK_AGAIN_FIRST_MS;
  for (;;) {
    news = false;
    for (const target of targets) await cancelAsAsked(target);
    const environments = targets.map((target) => ({
      name: target.environment,
      after: target.after,
      phase: phaseOf(target),
    }));
    const next = decideNext(environments, { cancelled: cancelledBy !== undefined });
    for (const target of targets) {
      const skipped = next.skip.find(({ environment }) => environment === target.environment);
      if (skipped) {
        const sentence = `${skipped.because} did not succeed.`;
        await end(target, 'skipped', { code: 'dependency', sentence });
      } else if (next.submit.includes(target.environment)) {
        await submit(target);
      }
    }
    const phases = targets.map((target) => ends.get(target.deploymentId)?.phase ?? 'applying');
    tellUi(releasePhase(phases), releaseDetails(input, title, targets, { ends, submitted }));
    if (phasesAllEnded(targets, ends)) break;
    if (next.skip.length > 0 || next.submit.length > 0) continue;
    const heard = await condition(() => news, askAgainMs);
    if (heard) {
      askAgainMs = ASK_AGAIN_FIRST_MS;
      continue;
    }
    askAgainMs = Math.min(2 * askAgainMs, ASK_AGAIN_MAX_MS);
    for (const target of targets) {
      if (submitted.has(target.deploymentId) && !ends.has(target.deploymentId)) {
        await submit(target);
        cancelSent.delete(target.deploymentId);
      }
    }
  }
  return [...ends.values()];

  async function cancelAsAsked(target: ReleaseTarget): Promise<void> {
    const { deploymentId } = target;
    const by = cancels.get(deploymentId) ?? cancelledBy;
    if (by === undefined || ends.has(deploymentId)) return;
    if (!submitted.has(deploymentId)) {
      await end(target, 'cancelled', { code: 'cancelled', sentence: `Cancelled by ${by}.` });
    } else if (!cancelSent.has(deploymentId)) {
      await cancelInLane(target, by);
      cancelSent.add(deploymentId);
    }
  }
}

function phasesAllEnded(targets: readonly ReleaseTarget[], ends: Map<string, DeploymentEnd>) {
  return targets.every(({ deploymentId }) => ends.has(deploymentId));
}

async function cancelInLane(target: ReleaseTarget, by: string): Promise<void> {
  const signal = defineSignal<[CancelDeploymentInput]>(CANCEL_DEPLOYMENT_SIGNAL);
  const lane = getExternalWorkflowHandle(laneWorkflowId(target));
  // A lane that is gone has nothing to cancel; the next submit brings it back.
  await lane.signal(signal, { deploymentId: target.deploymentId, by }).catch(() => undefined);
}

function deploymentRequest(
  input: ReleaseInput,
  title: string,
  target: ReleaseTarget,
): DeploymentRequest {
  const { releaseId, releaseNumber, repository, commit, kind, force } = input;
  const { environment, cluster, namespace, deploymentId, deploymentNumber, retry, rollout } =
    target;
  return {
    ...{ releaseId, releaseNumber, repository, commit, kind, force, title },
    ...{ environment, cluster, namespace, deploymentId, deploymentNumber, retry, rollout },
    onFailure: target.onFailure ?? 'stop',
    overtakeVerifying: target.overtakeVerifying ?? false,
    ...(target.mode ? { mode: target.mode } : {}),
    ...(target.begun ? { begun: target.begun } : {}),
    ...(target.approval ? { approval: target.approval } : {}),
    releaseWorkflowId: workflowInfo().workflowId,
  };
}
