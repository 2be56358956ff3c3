import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listHelmHistory } from '../../src/adapters/kubernetes/helm-releases.ts';
import { RunningSlipway } from '../support/running-slipway.ts';
import { until } from '../support/until.ts';

const ENDED = { timeoutMs: 8 * 60_000 };

let at: RunningSlipway;
let version = 0;
beforeAll(async () => {
  at = await RunningSlipway.start('api-away', () => ({
    ...{ rollout: { soak: '3s' }, retry: { attempts: 2, backoff: '10s' } },
  }));
  await at.slipway.api.untilEnded(await at.push('2.9.0'), ENDED);
});
afterAll(() => at.stop());

const isPhase = (phase: string) => async (commit: string) => (await at.phase(commit)) === phase;
const isPending = async () => (await at.helmRelease())?.status === 'pending-upgrade';
const CUTS = [
  { when: 'while helm upgrades', seconds: 20, isNow: isPending },
  { when: 'while helm upgrades', seconds: 90, isNow: isPending },
  { when: 'while it verifies', seconds: 20, isNow: isPhase('verifying') },
  { when: 'while it verifies', seconds: 90, isNow: isPhase('verifying') },
  { when: 'while it plans', seconds: 20, isNow: isPhase('planning') },
  { when: 'while it plans', seconds: 90, isNow: isPhase('planning') },
];

test.each(CUTS)(
  'an API server that is away $when, for $seconds s: it is said, and the deployment succeeds',
  async ({ when, seconds, isNow }) => {
    const commit = await pushNext();
    await until(() => isNow(commit), { timeoutMs: 60_000, intervalMs: 10 });
    await at.line.cut();
    const cut = performance.now();
    await until(() => isSaid(commit));
    const said = secondsSince(cut);
    // The length of the fault itself.
    await delay(seconds * 1_000 - (performance.now() - cut));
    await at.line.restore();
    await at.slipway.api.untilEnded(commit, ENDED);
    const deployment = await at.deployment(commit);
    const { attempt = 0, endedAt } = deployment ?? {};
    const took = (Date.parse(endedAt ?? '') - Date.now()) / 1_000 + secondsSince(cut);
    print(
      `away ${when} for ${seconds} s: said after ${said.toFixed(1)} s, ended after ${took.toFixed(0)} s in attempt ${attempt}`,
    );
    expect(deployment).toMatchObject({ phase: 'succeeded', cause: null });
    const made = (await revisionsOf(deployment?.id)).map(({ status }) => status);
    expect(made.filter((status) => status !== 'failed')).toEqual(['deployed']);
    await expectCleanEnd();
  },
  2 * ENDED.timeoutMs,
);

test(
  'an API server that stays away ends the deployment with that cause, and the next one succeeds',
  async () => {
    const commit = await pushNext();
    await until(isPending, { timeoutMs: 60_000, intervalMs: 10 });
    await at.line.cut();
    const cut = performance.now();
    await at.slipway.api.untilEnded(commit, ENDED);
    print(`away for good: errored after ${secondsSince(cut).toFixed(0)} s`);
    const deployment = await at.deployment(commit);
    expect(deployment).toMatchObject({
      ...{ phase: 'errored', attempt: 2 },
      cause: { code: 'cluster-unreachable' },
    });
    expect(deployment?.cause?.sentence).toContain('The API server cannot be reached:');
    await at.line.restore();
    const next = await at.slipway.api.untilEnded(await pushNext(), ENDED);
    expect(next.phase).toBe('succeeded');
    await expectCleanEnd();
  },
  ENDED.timeoutMs,
);

/** Whether the deployment's own words tell of it. */
async function isSaid(commit: string): Promise<boolean> {
  const deployment = await at.deployment(commit);
  return deployment?.note.includes('The API server cannot be reached') ?? false;
}

async function expectCleanEnd(): Promise<void> {
  for (const { status } of await at.helmReleases()) expect(status).toBe('deployed');
  expect((await at.lease.look())?.holder).toBe('');
  expect(at.leftovers()).toEqual([]);
}

async function revisionsOf(deploymentId: string | undefined) {
  const history = await listHelmHistory(at.kubernetes, 'cs-dev', ['example-api']);
  return history.filter((one) => one.deploymentId === deploymentId);
}

function pushNext(): Promise<string> {
  version += 1;
  return at.push(`2.9.${version}`);
}

function secondsSince(start: number): number {
  return (performance.now() - start) / 1_000;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
