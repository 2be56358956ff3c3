import { attemptsThat } from '../support/helm-wrapper.ts';
import type { RunningSlipway } from '../support/running-slipway.ts';

/** A moment of a deployment at which its worker is killed. */
export interface KillPoint {
  name: string;
  /** Whether the moment has come. */
  isNow: (at: RunningSlipway, story: Story) => Promise<boolean> | boolean;
  /** What is released: by default a version that is good. */
  releases?: 'bad';
  /** The worker that comes after it is killed too, at this moment. */
  again?: (at: RunningSlipway, story: Story) => Promise<boolean>;
  /** Its processes are killed with it, as where a container ends; at other points now and then. */
  withAll?: true;
  /** A person cancels the deployment while its worker is dead. */
  cancelled?: true;
  /** `npm test` kills here too. */
  eachCommit?: true;
}

export interface Story {
  commit: string;
  /** The newest revision of the service before the deployment. */
  helmRevision: number;
}

const isPhase =
  (phase: string) =>
  async (at: RunningSlipway, { commit }: Story) =>
    (await at.phase(commit)) === phase;

const isStatus =
  (status: string, newer = 1) =>
  async (at: RunningSlipway, story: Story) => {
    const release = await at.helmRelease();
    return release?.status === status && release.helmRevision >= story.helmRevision + newer;
  };

const runs = (program: 'helm' | 'helmfile', command: string) => (at: RunningSlipway) =>
  attemptsThat(at.platform.dataDir, program, command).length > 0;

/** In the order of a deployment. What differs is what was written when its worker was killed, and who knows of it. */
export const KILL_POINTS: readonly KillPoint[] = [
  { name: 'as it begins, at the checkout', isNow: isPhase('planning') },
  { name: 'while it plans', isNow: (at) => at.leftovers().length > 0 },
  {
    name: 'when the Lease is taken',
    isNow: async (at) => ((await at.lease.look())?.holder ?? '') !== '',
  },
  { name: 'when helmfile has begun', isNow: runs('helmfile', 'sync') },
  {
    name: 'when the Helm release is pending',
    isNow: isStatus('pending-upgrade'),
    withAll: true,
    eachCommit: true,
  },
  {
    name: 'when helm has ended, and nobody has noted it',
    isNow: isStatus('deployed'),
    eachCommit: true,
  },
  { name: 'while it verifies', isNow: isPhase('verifying') },
  {
    name: 'while what an earlier kill left is healed',
    isNow: isStatus('pending-upgrade'),
    withAll: true,
    again: isStatus('failed'),
  },
  { name: 'while it takes back', isNow: runs('helm', 'rollback'), releases: 'bad' },
  {
    name: 'when the rollback is pending',
    isNow: isStatus('pending-rollback', 2),
    releases: 'bad',
  },
  {
    name: 'when it was taken back, and nobody has noted it',
    isNow: isStatus('deployed', 2),
    releases: 'bad',
  },
  {
    name: 'and cancelled while its worker is dead',
    isNow: isStatus('pending-upgrade'),
    withAll: true,
    cancelled: true,
    eachCommit: true,
  },
];
