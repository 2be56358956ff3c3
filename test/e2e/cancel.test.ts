import { rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isAlive } from '../../src/main/dev/platform-processes.ts';
import { attemptsThat, wrapHelm } from '../support/helm-wrapper.ts';
import { RunningSlipway } from '../support/running-slipway.ts';
import { until } from '../support/until.ts';

const ENDED = { timeoutMs: 100_000 };
/** What the product promises, in seconds; measured here and printed. */
const PROMISED_S = 20;
/** What helm does instead of what it should, while a file of that name is there. */
const HELM = `
case " $* " in
  *" upgrade "*) if [ -e "$0.leaves-its-group" ]; then exec /usr/bin/setsid "$helm" "$@"; fi ;;
  *" template "*) if [ -e "$0.renders-for-ever" ]; then exec /usr/bin/sleep 600; fi ;;
esac`;

let at: RunningSlipway;
let helm: string;
let version = 10;
beforeAll(async () => {
  at = await RunningSlipway.start('e2e-cancel', async ({ dataDir }) => {
    const wrapper = await wrapHelm(dataDir, HELM);
    helm = wrapper.helm;
    return { toolsFolder: wrapper.toolsFolder };
  });
  const first = await at.push(nextVersion());
  await at.slipway.api.untilEnded(first, ENDED);
});
afterAll(() => at.stop());

// A stopped process ignores every signal but the one that nothing can ignore.
test.each([
  ['that ignores signals', 'stays-in-its-group'],
  ['that ignores signals and left its process group', 'leaves-its-group'],
])('cancelled from the API, a helm %s is ended and heals nothing later', async (_what, does) => {
  await helmDoes(does, async () => {
    const commit = await at.push(nextVersion());
    await until(async () => (await at.helmRelease())?.status === 'pending-upgrade', {
      ...{ timeoutMs: 60_000, intervalMs: 10 },
    });
    const helms = attemptsThat(at.platform.dataDir, 'helm', 'upgrade');
    expect(helms).toHaveLength(1);
    for (const pid of helms) process.kill(pid, 'SIGSTOP');

    const seconds = await cancel(commit);
    await until(() => !helms.some(isAlive));
    // Whoever takes the Lease now would find nothing pending, so it is healed while it is still held.
    await until(async () => (await at.lease.look())?.holder === '', { intervalMs: 10 });
    expect((await at.helmRelease())?.status).toBe('failed');
    expect(at.leftovers()).toEqual([]);
    const free = seconds();
    const ended = await at.slipway.api.untilEnded(commit, ENDED);
    print(does, `nothing left after ${free}, phase after ${seconds()}`);
    expect(ended.deployments.map(({ phase }) => phase)).toEqual(['cancelled', 'skipped']);
    expect(ended.deployments[0]?.cause?.sentence).toBe('Cancelled by slipway dev.');
  });
  const fix = await at.slipway.api.untilEnded(await at.push(nextVersion()), ENDED);
  expect(fix.phase).toBe('succeeded');
});

test('cancelled while it plans, it ends as soon as its worker hears of it', async () => {
  await helmDoes('renders-for-ever', async () => {
    const commit = await at.push(nextVersion());
    // Before that the release reads what the commit says, and there is no deployment yet.
    await until(async () => (await at.phase(commit)) === 'planning');
    await until(() => at.leftovers().length > 1);
    const seconds = await cancel(commit);
    await at.slipway.api.untilEnded(commit, ENDED);
    print('while it plans', `phase after ${seconds()}`);
    expect(await at.phase(commit)).toBe('cancelled');
    expect(at.leftovers()).toEqual([]);
  });
});

test('cancelled while it waits for a hold, it ends at once', async () => {
  const environment = '/environments/deployments/cs-dev';
  await at.slipway.api.request('POST', `${environment}/hold`, { reason: 'looking at it' });
  const commit = await at.push(nextVersion());
  await until(async () => (await at.phase(commit)) === 'waiting');
  const seconds = await cancel(commit);
  await at.slipway.api.untilEnded(commit, ENDED);
  print('while it waits', `phase after ${seconds()}`);
  expect(await at.phase(commit)).toBe('cancelled');
  await at.slipway.api.request('POST', `${environment}/resume`, {});
});

/** Cancels the deployment of a commit; answers the time since then, in words. */
async function cancel(commit: string): Promise<() => string> {
  const { id } = (await at.deployment(commit)) ?? { id: '' };
  const asked = performance.now();
  const answer = await at.slipway.api.request('POST', `/deployments/${id}/cancel`);
  expect(answer.status).toBe(202);
  return () => `${((performance.now() - asked) / 1_000).toFixed(1)} s`;
}

async function helmDoes(what: string, work: () => Promise<void>): Promise<void> {
  await writeFile(`${helm}.${what}`, '');
  try {
    await work();
  } finally {
    await rm(`${helm}.${what}`);
  }
}

function print(what: string, measured: string): void {
  process.stdout.write(`cancel (${what}): ${measured}; promised: ${PROMISED_S} s\n`);
}

function nextVersion(): string {
  version += 1;
  return `2.9.${version}`;
}
