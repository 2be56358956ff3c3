import type { GatesAnswer, GatesInput } from '../../../src/contract/workflow/activities.ts';
import type { Waiting } from '../../../src/domain/gates/facts.ts';
import type { RolloutJudgement } from '../../../src/domain/services.ts';
import { commitId } from '../requests.ts';
import {
  endsWhenCancelled,
  failure,
  HEALTHY,
  PLAN,
  untilCancelled,
  type Stage,
  type Story,
} from './story.ts';

const missingImage: RolloutJudgement = {
  state: 'failed',
  services: [],
  cause: {
    code: 'image-not-found',
    sentence: 'The image registry.example/api:9 does not exist.',
    service: 'example-api',
    image: 'registry.example/api:9',
  },
};
const waiting: Waiting = {
  reason: 'approval',
  sentence: 'Waiting for approval: 0 of 1 from anybody.',
  digest: PLAN.digest,
  groups: [],
};
const approval = { count: 1, from: [] };

/** A gate that opens when the story says so. */
function approvalGate() {
  let approved = false;
  return {
    approve: () => {
      approved = true;
    },
    service: {
      readGates: ({ approval: asked }: GatesInput): Promise<GatesAnswer> =>
        Promise.resolve(asked && !approved ? { answer: 'wait', waiting } : { answer: 'open' }),
    },
  };
}

/** A cluster whose worker comes when the story says so. */
function workerGate() {
  let isThere = false;
  const sentence = 'No worker of cluster notprod has polled slipway-cluster-notprod.';
  const missing: Waiting = { reason: 'worker', sentence, since: '2026-01-01T00:00:00.000Z' };
  return {
    comes: () => {
      isThere = true;
    },
    service: {
      readGates: (): Promise<GatesAnswer> =>
        Promise.resolve(isThere ? { answer: 'open' } : { answer: 'wait', waiting: missing }),
    },
  };
}

const worker = workerGate();
const approved = approvalGate();
const overtaken = approvalGate();
let applies = 0;

/** What happens to deployments, one story each; their histories are kept and replayed. */
export const STORIES: Story[] = [
  { name: 'succeeded', followers: ['succeeded-after'], keep: ['deployment', 'release'] },
  {
    name: 'unchanged',
    cluster: { plan: () => Promise.resolve({ digest: 'sha256:00', services: [] }) },
  },
  {
    name: 'retried',
    cluster: {
      apply: () => {
        applies += 1;
        if (applies === 1) throw failure('cluster-unreachable', 'connection refused');
        return Promise.resolve({ durationMs: 1 });
      },
    },
  },
  {
    name: 'failed',
    followers: ['failed-after'],
    keep: ['deployment', 'release'],
    cluster: {
      apply: endsWhenCancelled,
      watchRollout: () => Promise.resolve(missingImage),
    },
  },
  {
    name: 'rolled-back',
    target: { onFailure: 'rollback' },
    cluster: {
      apply: () => Promise.reject(failure('helm-failed', 'UPGRADE FAILED')),
      watchRollout: async ({ mode, takenBack }) => {
        if (mode === 'beside') await untilCancelled();
        return takenBack ? HEALTHY : missingImage;
      },
      rollBack: () =>
        Promise.resolve({
          takenBack: ['example-api to revision 3'],
          returned: [{ service: 'example-api', to: 3, helmRevision: 5 }],
        }),
    },
  },
  {
    name: 'restarted',
    cluster: { plan: () => Promise.resolve({ ...PLAN, restart: ['deployment/example-api'] }) },
  },
  {
    name: 'approved',
    target: { approval },
    service: approved.service,
    play: async (stage) => {
      const released = stage.release();
      await stage.untilRecorded({ phase: 'waiting' });
      approved.approve();
      await stage.gatesChanged();
      await released;
    },
  },
  {
    name: 'worker-missing',
    service: worker.service,
    play: async (stage) => {
      const released = stage.release();
      await stage.untilRecorded({ phase: 'waiting' });
      worker.comes();
      await stage.gatesChanged();
      await released;
    },
  },
  {
    name: 'superseded',
    keep: ['deployment', 'lane'],
    target: { approval },
    service: overtaken.service,
    play: async (stage) => {
      const older = stage.release();
      await stage.untilRecorded({ phase: 'waiting' });
      const newer = stage.release();
      await older;
      await stage.untilRecorded({ phase: 'waiting', deploymentId: 'dep_superseded_2' });
      overtaken.approve();
      await stage.gatesChanged();
      await newer;
    },
  },
  {
    name: 'cancelled',
    keep: ['deployment', 'release', 'lane'],
    cluster: { apply: endsWhenCancelled },
    play: async (stage) => {
      const released = stage.release();
      await stage.untilRecorded({ phase: 'applying' });
      await stage.cancelRelease();
      await released;
    },
  },
  {
    name: 'drifted',
    keep: ['drift'],
    service: {
      beginDriftLook: () =>
        Promise.resolve({ look: true, since: '2026-01-01T00:00:00.000Z', recorded: [] }),
      recordDrift: () => Promise.resolve(),
    },
    cluster: {
      lookForDrift: () =>
        Promise.resolve({
          ...{ services: [], notLookedAt: [] },
          objects: { services: [], truncated: { resources: 0, fields: 0, lines: 0 } },
        }),
    },
    play: (stage) => stage.lookForDrift(),
  },
  {
    name: 'polled',
    keep: ['poll'],
    service: { pollHead: () => Promise.resolve({ answer: 'released', commit: commitId(1) }) },
    play: (stage) => stage.poll(),
  },
  { name: 'rotated', keep: ['lane'], play: (stage) => inTurn(stage, 4) },
];

/** So many releases that their lane continues as new. */
async function inTurn(stage: Stage, count: number): Promise<void> {
  for (let done = 0; done < count; done += 1) await stage.release();
}
