import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sized } from '../../support/size.ts';
import { until } from '../../support/until.ts';
import { deliver, newRepositories, push, pushMany } from './pushes.ts';
import { startRig, type Rig, type Servers } from './rig.ts';
import { expectNothingLostOrDoubled, settled } from './verdict.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
}, 180_000);
afterAll(() => rig.stop(), 60_000);

const MINUTE = 60_000;
const SIZE = {
  repositories: sized({ commit: 3, long: 20 }),
  pushes: sized({ commit: 24, long: 1_000 }),
  everyMs: sized({ commit: 50, long: 100 }),
  settleMs: sized({ commit: 3 * MINUTE, long: 30 * MINUTE }),
};

interface Story {
  what: string;
  faults?: number;
  poll?: string;
  /** Goes on while pushes are made and delivered. */
  meanwhile?: (servers: Servers) => Promise<void>;
}

test.each<Story>([
  { what: 'nothing fails' },
  {
    what: 'Temporal is killed, and comes back on its file',
    meanwhile: async () => {
      for (let time = 0; time < sized({ commit: 1, long: 3 }); time += 1) {
        await delay(sized({ commit: 500, long: 20_000 }));
        await rig.killTemporal(() => delay(sized({ commit: 1_000, long: 10_000 })));
      }
    },
  },
  {
    what: 'calls to Temporal are lost, before they are sent and after they were answered',
    faults: 0.2,
  },
  {
    what: 'servers are killed in turn; the poll finds what nobody took',
    poll: '10s',
    meanwhile: async (servers) => {
      for (let time = 0; time < sized({ commit: 1, long: 5 }); time += 1) {
        await delay(sized({ commit: 500, long: 10_000 }));
        await servers.killAndStart(time % servers.urls.length);
      }
    },
  },
])(
  'pushes, each delivered one to seven times to two servers, while $what',
  async (story) => {
    const { repositories: count, pushes, everyMs, settleMs } = SIZE;
    const repositories = newRepositories(rig, 'pushed', count);
    const servers = await rig.startServers({ repositories, ...story });
    try {
      const started = performance.now();
      const [made] = await Promise.all([
        pushMany(rig, { repositories, urls: servers.urls, pushes, everyMs }),
        story.meanwhile?.(servers),
      ]);
      // Of each last push somebody is told, as a person redelivers what the forge shows as failed.
      for (const last of made.slice(-count)) {
        await until(async () => {
          await deliver(servers.urls[0] ?? '', last);
          return last.accepted > 0;
        });
      }
      await settled(rig, repositories, settleMs);
      const fates = await expectNothingLostOrDoubled(rig, repositories, made);
      const deliveries = made.reduce((sum, { accepted }) => sum + accepted, 0);
      const seconds = Math.round((performance.now() - started) / 1_000);
      process.stdout.write(
        `while ${story.what}: ${made.length} pushes, ${deliveries} deliveries taken, ` +
          `${fates.releases} releases: ${fates.succeeded} succeeded, ${fates.superseded} superseded; ${seconds} s\n`,
      );
    } finally {
      await servers.stop();
    }
  },
  2 * SIZE.settleMs,
);

test(
  'a push whose server is killed between its 202 and the relay is released after the restart',
  async () => {
    const repositories = newRepositories(rig, 'killed', 1);
    const [repository = ''] = repositories;
    const servers = await rig.startServers({ repositories, count: 1 });
    try {
      rig.forge.silent.add(repository);
      const pushed = push(rig, repository);
      await deliver(servers.urls[0] ?? '', pushed);
      expect(pushed.accepted).toBe(1);
      await until(() => rig.forge.unanswered.includes(repository));
      rig.forge.silent.clear();
      await servers.killAndStart(0);
      await settled(rig, repositories, SIZE.settleMs);
      await expectNothingLostOrDoubled(rig, repositories, [pushed]);
    } finally {
      await servers.stop();
    }
  },
  2 * SIZE.settleMs,
);
