import { afterAll, beforeAll, expect, test } from 'vitest';
import { sized } from '../../support/size.ts';
import { until } from '../../support/until.ts';
import { deliver, newRepositories, push } from './pushes.ts';
import { startRig, type Rig } from './rig.ts';
import { expectNothingLostOrDoubled, settled } from './verdict.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
}, 180_000);
afterAll(() => rig.stop(), 60_000);

const MINUTE = 60_000;
const SIZE = {
  good: sized({ commit: 95, long: 950 }),
  goodRepositories: sized({ commit: 5, long: 20 }),
  /** Of each kind; one of them ends the server each time that it is tried. */
  poison: sized({ commit: 1, long: 10 }),
  settleMs: sized({ commit: 3 * MINUTE, long: 30 * MINUTE }),
};
const KINDS = ['gone', 'refused', 'nonsense', 'deadly'] as const;

test(
  'poison is parked after three tries, also when it ends the server; the rest goes on',
  async () => {
    const good = newRepositories(rig, 'good', SIZE.goodRepositories);
    // One kind twice: five in a hundred.
    const kinds = [...KINDS, 'gone' as const].flatMap((kind) =>
      Array.from({ length: SIZE.poison }, () => kind),
    );
    const bad = newRepositories(rig, 'poison', kinds.length);
    const servers = await rig.startServers({ repositories: [...good, ...bad] });
    try {
      const pushes = Array.from({ length: SIZE.good }, (_, at) => ({
        at: Math.floor((at * kinds.length) / SIZE.good),
        push: push(rig, good[at % good.length] ?? ''),
      }));
      const poison = bad.map((repository, at) => ({ at, push: push(rig, repository) }));
      kinds.forEach((kind, at) => rig.forge.heads.set(bad[at] ?? '', { poison: kind }));
      const all = [...pushes, ...poison].sort((a, b) => a.at - b.at);
      for (const [index, { push: pushed }] of all.entries()) {
        // A server that was just ended by poison takes nothing.
        await until(
          async () => {
            await deliver(servers.urls[index % servers.urls.length] ?? '', pushed);
            return pushed.accepted > 0;
          },
          { timeoutMs: SIZE.settleMs },
        );
      }
      await settled(rig, [...good, ...bad], SIZE.settleMs);

      await expectNothingLostOrDoubled(
        rig,
        good,
        pushes.map((one) => one.push),
      );
      const rows = await rig.database.db
        .selectFrom('inbox')
        .select(['repository', 'failures', 'last_error', 'release_id'])
        .where('parked_at', 'is not', null)
        .execute();
      expect(rows.map(({ repository }) => repository).sort()).toEqual([...bad].sort());
      for (const row of rows) {
        expect(row).toMatchObject({ failures: 3, release_id: null });
        expect(row.last_error).toBe(reasonOf(kinds[bad.indexOf(row.repository)]));
      }
      const deadly = kinds.filter((kind) => kind === 'deadly').length;
      // Each try of a deadly one ends a server; some may have ended one together.
      expect(servers.died()).toBeLessThanOrEqual(3 * deadly);
      process.stdout.write(
        `${all.length} rows: ${rows.length} parked, ${servers.died()} ends of servers\n`,
      );
    } finally {
      await servers.stop();
    }
  },
  4 * SIZE.settleMs,
);

function reasonOf(kind: (typeof KINDS)[number] | undefined): string {
  switch (kind) {
    case 'gone':
      return 'There is no branch.';
    case 'refused':
      return 'The token is refused.';
    case 'nonsense':
      return 'nonsense';
    case 'deadly':
      return 'The server ended while it tried this.';
    case undefined:
      return 'not one of ours';
  }
}
