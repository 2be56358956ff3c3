import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isLong, sized } from '../../support/size.ts';
import { numberOf } from './forge.ts';
import { newRepositories, push, type Push } from './pushes.ts';
import { startRig, type Rig } from './rig.ts';
import { sightsOf, whyUnseen } from './sights.ts';
import { expectNothingLostOrDoubled, settled } from './verdict.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
}, 180_000);
afterAll(() => rig.stop(), 60_000);

const MINUTE = 60_000;
const SIZE = {
  repositories: sized({ commit: 2, long: 20 }),
  pushes: sized({ commit: 10, long: 500 }),
  /** The large size is polled as often as branches are by default. */
  poll: isLong() ? '60s' : '10s',
  // Of the large size within ten minutes.
  everyMs: sized({ commit: 400, long: 1_200 }),
  settleMs: sized({ commit: 2 * MINUTE, long: 15 * MINUTE }),
};

test(
  'with no webhook at all every head is seen',
  async () => {
    const { repositories: count, pushes, poll, everyMs, settleMs } = SIZE;
    const repositories = newRepositories(rig, 'polled', count);
    const servers = await rig.startServers({ repositories, poll });
    try {
      const made: Push[] = [];
      for (let number = 0; number < pushes; number += 1) {
        made.push(push(rig, repositories[randomInt(count)] ?? ''));
        await delay(everyMs);
      }
      const waits = await waitsOf(made, settleMs);
      await settled(rig, repositories, settleMs);
      await expectNothingLostOrDoubled(rig, repositories, made);
      const at = (share: number) =>
        ((waits[Math.ceil(share * waits.length) - 1] ?? 0) / 1_000).toFixed(1);
      process.stdout.write(
        `polled every ${poll}: ${waits.length} heads seen after ${at(0.5)} s (median), ` +
          `${at(0.99)} s (p99), ${at(1)} s (max)\n`,
      );
      // What is promised of the default; smaller sizes are not timed.
      if (isLong()) expect(waits.at(-1)).toBeLessThanOrEqual(2 * MINUTE);
    } finally {
      await servers.stop();
    }
  },
  3 * SIZE.settleMs + SIZE.pushes * SIZE.everyMs,
);

/** How long each push waited until it, or one after it, was seen; shortest first. */
async function waitsOf(pushes: readonly Push[], timeoutMs: number): Promise<number[]> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const sights = await sightsOf(rig);
    const waits = pushes.map(({ repository, after, pushedAt }) => {
      const seen = sights.filter(
        (sight) => sight.repository === repository && sight.number >= numberOf(after),
      );
      return Math.min(...seen.map(({ at }) => at.getTime())) - pushedAt.getTime();
    });
    if (waits.every((wait) => Number.isFinite(wait))) return waits.sort((a, b) => a - b);
    if (performance.now() > deadline) {
      const unseen = pushes.filter((_, at) => !Number.isFinite(waits[at]));
      throw new Error(await whyUnseen(rig, unseen));
    }
    await delay(500);
  }
}
