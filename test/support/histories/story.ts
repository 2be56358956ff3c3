import { Context } from '@temporalio/activity';
import { ApplicationFailure, WithStartWorkflowOperation } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type {
  ClusterActivities,
  PhaseRecord,
  ServiceActivities,
} from '../../../src/contract/workflow/activities.ts';
import {
  deploymentWorkflowId,
  driftNowId,
  laneWorkflowId,
  pollScheduleId,
  releaseWorkflowId,
  SERVICE_QUEUE,
} from '../../../src/contract/workflow/ids.ts';
import {
  CANCEL_RELEASE_SIGNAL,
  GATES_CHANGED_SIGNAL,
  SUBMIT_UPDATE,
  type SubmitInput,
  type SubmitResult,
} from '../../../src/contract/workflow/messages.ts';
import type { ReleaseTarget } from '../../../src/contract/workflow/payloads.ts';
import type { CauseCode } from '../../../src/domain/errors.ts';
import { decideOrder } from '../../../src/domain/ordering.ts';
import type { RolloutJudgement } from '../../../src/domain/services.ts';
import type { driftWorkflow } from '../../../workflows/drift.ts';
import type { laneWorkflow } from '../../../workflows/lane.ts';
import type { pollWorkflow } from '../../../workflows/poll.ts';
import type { releaseWorkflow } from '../../../workflows/release.ts';
import { commitId, releaseInput, releaseTarget } from '../requests.ts';
import { withWorkers } from '../temporal.ts';
import { until } from '../until.ts';

/** What a story may do while its workflows run. */
export interface Stage {
  /** Starts the release of the next commit; answers when it has ended. */
  release: () => Promise<void>;
  /** Looks at the branch once. */
  poll: () => Promise<void>;
  /** Looks for drift once. */
  lookForDrift: () => Promise<void>;
  /** Waits for the newest record that answers this. */
  untilRecorded: (wanted: Partial<PhaseRecord>) => Promise<void>;
  /** Somebody opened a gate: the deployment looks again. */
  gatesChanged: () => Promise<void>;
  /** Cancels the first release. */
  cancelRelease: () => Promise<void>;
}

/** Of which workflow. */
export type Kept = 'release' | 'lane' | 'deployment' | 'poll' | 'drift';

export interface Story {
  /** Also the name of its repository and of its first environment. */
  name: string;
  /** Whose histories are worth keeping; of the deployment unless it says otherwise. */
  keep?: Kept[];
  /** Environments that come after it. */
  followers?: string[];
  target?: Partial<ReleaseTarget>;
  cluster?: Partial<ClusterActivities>;
  service?: Partial<ServiceActivities>;
  /** One release unless it says otherwise. */
  play?: (stage: Stage) => Promise<void>;
}

export const PLAN = {
  digest: 'sha256:ab',
  services: [{ name: 'example-api', chart: 'charts/example-api', chartVersion: '1.0.0' }],
};
export const HEALTHY: RolloutJudgement = {
  state: 'healthy',
  services: [{ service: 'example-api', state: 'healthy', note: 'healthy', helmRevision: 5 }],
};

/** Plays a story through the real workflows and a real Temporal, with neighbours that are played too. */
export async function play(environment: TestWorkflowEnvironment, story: Story): Promise<void> {
  const { workflow } = environment.client;
  const targets = [story.name, ...(story.followers ?? [])].map((name, at) => ({
    ...releaseTarget(name, at === 0 ? [] : [story.name]),
    retry: { attempts: 3, backoffMs: 200, limitMs: 1_000 },
    ...story.target,
  }));
  const records: PhaseRecord[] = [];
  let accepted: string | undefined;
  let releases = 0;
  const service: Partial<ServiceActivities> = {
    startRelease: ({ releaseNumber }) =>
      Promise.resolve({
        title: 'Bump example-api to 2.4.2',
        targets: targets.map((target) => ({
          ...target,
          deploymentId: `${target.deploymentId}_${releaseNumber}`,
        })),
      }),
    submitToLane: (request) => {
      const lane = new WithStartWorkflowOperation<typeof laneWorkflow>('laneWorkflow', {
        taskQueue: SERVICE_QUEUE,
        workflowId: laneWorkflowId(request),
        workflowIdConflictPolicy: 'USE_EXISTING',
        args: [{ cluster: request.cluster, namespace: request.namespace }],
      });
      return workflow.executeUpdateWithStart<typeof laneWorkflow, SubmitResult, [SubmitInput]>(
        SUBMIT_UPDATE,
        { startWorkflowOperation: lane, args: [{ request }] },
      );
    },
    listPlaces: () => Promise.resolve([]),
    lookAtDeployment: () => Promise.resolve({}),
    // Commit ids of these stories grow from parent to child.
    orderWaiting: ({ candidates }) =>
      Promise.resolve(decideOrder(accepted, candidates, (older, newer) => older <= newer)),
    acceptCommit: ({ commit }) => {
      accepted = commit;
      return Promise.resolve(undefined);
    },
    readRecorded: () => Promise.resolve([]),
    recordPhase: (record) => {
      records.push(record);
      return Promise.resolve();
    },
    recordOutcome: () => Promise.resolve(),
    ...story.service,
  };
  const cluster: ClusterActivities = {
    readInputs: () => Promise.resolve({ inputs: 'sha256:ab' }),
    checkout: () => Promise.resolve({ title: '', author: '', committedAt: '' }),
    plan: () => Promise.resolve(PLAN),
    readReleases: () => Promise.resolve([]),
    lookForDrift: () => Promise.reject(new Error('nobody looks for drift here')),
    inspect: () => Promise.resolve({ deadHolder: '', healed: [] }),
    heal: () => Promise.resolve({ healed: [] }),
    apply: () => Promise.resolve({ durationMs: 1 }),
    restart: () => Promise.resolve(),
    rollBack: () => Promise.resolve({ takenBack: [] }),
    watchRollout: async ({ mode }) => {
      if (mode === 'beside') await untilCancelled();
      return HEALTHY;
    },
    ...story.cluster,
  };
  const stage: Stage = {
    release: async () => {
      releases += 1;
      const number = releases;
      const numbers = { releaseId: `rel_${number}`, releaseNumber: number };
      const of = { repository: story.name, commit: commitId(number) };
      await workflow.execute<typeof releaseWorkflow>('releaseWorkflow', {
        taskQueue: SERVICE_QUEUE,
        workflowId: releaseWorkflowId(story.name, commitId(number), 0),
        args: [releaseInput({ ...numbers, ...of })],
      });
    },
    poll: async () => {
      await workflow.execute<typeof pollWorkflow>('pollWorkflow', {
        taskQueue: SERVICE_QUEUE,
        workflowId: workflowIdOf(story, 'poll'),
        args: [{ repository: story.name }],
      });
    },
    lookForDrift: async () => {
      const { cluster, namespace } = releaseTarget(story.name);
      const { name } = story;
      await workflow.execute<typeof driftWorkflow>('driftWorkflow', {
        taskQueue: SERVICE_QUEUE,
        workflowId: workflowIdOf(story, 'drift'),
        args: [{ cluster, namespace, repository: name, environment: name }],
      });
    },
    untilRecorded: (wanted) =>
      until(() => {
        const newest = records.at(-1);
        const pairs = Object.entries(wanted) as [keyof PhaseRecord, unknown][];
        return newest && pairs.every(([key, value]) => newest[key] === value);
      }),
    gatesChanged: () =>
      workflow.getHandle(workflowIdOf(story, 'deployment')).signal(GATES_CHANGED_SIGNAL),
    cancelRelease: () =>
      workflow
        .getHandle(workflowIdOf(story, 'release'))
        .signal(CANCEL_RELEASE_SIGNAL, { by: 'Ada' }),
  };
  const perform = story.play ?? (({ release }: Stage) => release());
  await withWorkers(environment, { cluster, service }, () => perform(stage));
}

/** Of a story's first release, or of its first environment. */
export function workflowIdOf({ name }: Story, kind: Kept): string {
  const lane = releaseTarget(name);
  switch (kind) {
    case 'release':
      return releaseWorkflowId(name, commitId(1), 0);
    case 'lane':
      return laneWorkflowId(lane);
    case 'deployment':
      return deploymentWorkflowId(lane);
    case 'poll':
      return pollScheduleId(name);
    case 'drift':
      return driftNowId(name, name);
  }
}

export function failure(type: CauseCode, message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, type);
}

/** Resolves when the activity is cancelled; beats, or the cancel would not arrive. */
export function untilCancelled(): Promise<void> {
  const { cancellationSignal, heartbeat } = Context.current();
  const timer = setInterval(heartbeat, 100);
  return new Promise((resolve) => {
    cancellationSignal.addEventListener(
      'abort',
      () => {
        clearInterval(timer);
        resolve();
      },
      { once: true },
    );
  });
}

/** As an activity ends whose process was ended by a cancel. */
export async function endsWhenCancelled(): Promise<never> {
  const { cancellationSignal } = Context.current();
  await untilCancelled();
  throw cancellationSignal.reason as Error;
}
