import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signalQuietly } from '../../src/adapters/process/kill-ladder.ts';
import { listHelmHistory } from '../../src/adapters/kubernetes/helm-releases.ts';
import { createRandom } from '../oracle/random.ts';
import { RunningSlipway } from '../support/running-slipway.ts';
import { printedSeed, sized } from '../support/size.ts';
import { until } from '../support/until.ts';
import { KILL_POINTS, type KillPoint, type Story } from './kill-points.ts';

/** After a kill, in seconds: what the product promises. Measured here and printed. */
const PROMISED_S = 120;
const ENDED = { timeoutMs: 5 * 60_000 };
const JITTER_MS = 200;

const points = KILL_POINTS.filter(({ eachCommit }) =>
  sized({ commit: eachCommit ? 1 : 0, long: 1 }),
);
const rounds = sized({ commit: 1, long: Number(process.env.SLIPWAY_KILLS_ROUNDS ?? 3) });
const kills = Array.from({ length: rounds }, () => points).flat();
const random = createRandom(printedSeed('kills', kills.length));

let at: RunningSlipway;
let version = 0;
const seconds: number[] = [];
beforeAll(async () => {
  at = await RunningSlipway.start('kills', () => ({ onFailure: 'rollback' }));
  await at.slipway.api.untilEnded(await at.push('2.9.0'), ENDED);
});
afterAll(async () => {
  await at.stop();
  const sorted = seconds.toSorted((a, b) => a - b);
  const quantile = (share: number) => sorted[Math.ceil(share * sorted.length) - 1]?.toFixed(0);
  const spread = `median ${quantile(0.5)} s, p90 ${quantile(0.9)} s, longest ${quantile(1)} s`;
  print(`${sorted.length} kills: ${spread}; promised: ${PROMISED_S} s`);
});

test.each(kills)(
  'kill -9 of the worker $name: another ends the deployment right, with nobody needed',
  async (point) => {
    const before = await history();
    const story = { helmRevision: Math.max(...before.map((one) => one.helmRevision)), commit: '' };
    version += 1;
    story.commit = await at.push(`2.9.${version}${point.releases === 'bad' ? '-missing' : ''}`);
    const images = await runningImage();

    await killWhen(point.isNow, story, point.withAll ?? random.oneIn(2));
    let killedAt = Date.now();
    if (point.cancelled) await cancel(story);
    await at.slipway.startWorker();
    if (point.again) {
      await killWhen(point.again, story, random.oneIn(2));
      // The promise counts from the last one.
      killedAt = Date.now();
      await at.slipway.startWorker();
    }
    const release = await at.slipway.api.untilEnded(story.commit, ENDED);
    const [deployment] = release.deployments;
    const took = (Date.parse(deployment?.endedAt ?? '') - killedAt) / 1_000;
    seconds.push(took);

    const made = (await history()).filter(({ helmRevision }) => helmRevision > story.helmRevision);
    const revisions = made.map(({ helmRevision, status }) => `${helmRevision} ${status}`);
    print(
      `kill ${point.name}: ${took.toFixed(0)} s, attempt ${deployment?.attempt}, ${revisions.join(', ')}`,
    );
    const phases = release.deployments.map(({ phase }) => phase);
    if (point.cancelled) {
      expect(phases).toEqual(['cancelled', 'skipped']);
      expect(deployment?.cause?.sentence).toContain('Healed afterwards: example-api is pending');
      expect(revisions).toEqual([`${story.helmRevision + 1} failed`]);
    } else {
      expect({ phases, cause: deployment?.cause?.code }).toEqual(
        point.releases === 'bad'
          ? { phases: ['rolled-back', 'skipped'], cause: 'image-not-found' }
          : { phases: ['succeeded', 'succeeded'], cause: undefined },
      );
      for (const { status } of await at.helmReleases()) expect(status).toBe('deployed');
      if (point.releases === 'bad') expect(await runningImage()).toBe(images);
      else expect(await runningImage()).toContain(`:2.9.${version}`);
    }
    const gone = made.filter(({ status }) => status === 'deployed' || status === 'superseded');
    expect(gone.length).toBeLessThanOrEqual(1);
    expect((await at.lease.look())?.holder).toBe('');
    expect(at.leftovers()).toEqual([]);
  },
  2 * ENDED.timeoutMs,
);

async function killWhen(isNow: KillPoint['isNow'], story: Story, all: boolean): Promise<void> {
  await until(() => isNow(at, story), { timeoutMs: 150_000, intervalMs: 10 });
  // A little later each time, but before what Helm says may change: what happens between two such moments.
  await delay(random.below(JITTER_MS));
  const pids = [at.slipway.worker().pid, ...(all ? at.leftovers() : [])];
  for (const pid of pids) signalQuietly(pid, 'SIGKILL');
}

async function cancel({ commit }: Story): Promise<void> {
  const { id } = (await at.deployment(commit)) ?? { id: '' };
  const { status } = await at.slipway.api.request('POST', `/deployments/${id}/cancel`);
  expect(status).toBe(202);
}

function history() {
  return listHelmHistory(at.kubernetes, 'cs-dev', ['example-api']);
}

/** What the service's workload declares. */
async function runningImage(): Promise<string | undefined> {
  const where = { name: 'example-api', namespace: 'cs-dev' };
  const { spec } = await at.kubernetes.apps.readNamespacedDeployment(where);
  return spec?.template.spec?.containers[0]?.image;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
