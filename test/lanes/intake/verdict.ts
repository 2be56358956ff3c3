import { expect } from 'vitest';
import { until } from '../../support/until.ts';
import { numberOf } from './forge.ts';
import type { Push } from './pushes.ts';
import type { Rig } from './rig.ts';

const FATES = ['succeeded', 'superseded'];

/** Waits until nothing of the repositories is on its way, in the inbox or as a release. */
export async function settled(
  { database: { db } }: Rig,
  repositories: readonly string[],
  timeoutMs: number,
): Promise<void> {
  await until(
    async () => {
      const waiting = await db
        .selectFrom('inbox')
        .select('id')
        .where('repository', 'in', [...repositories])
        .where('done_at', 'is', null)
        .where('parked_at', 'is', null)
        .execute();
      const running = await db
        .selectFrom('releases')
        .select('id')
        .where('repository', 'in', [...repositories])
        .where('ended_at', 'is', null)
        .execute();
      return waiting.length === 0 && running.length === 0;
    },
    { timeoutMs, intervalMs: 500 },
  );
}

/** Every push has a visible fate, every final head is released, nothing twice. */
export async function expectNothingLostOrDoubled(
  rig: Rig,
  repositories: readonly string[],
  pushes: readonly Push[],
): Promise<{ releases: number; succeeded: number; superseded: number }> {
  const { db } = rig.database;
  const rows = await db
    .selectFrom('inbox')
    .leftJoin('releases', 'releases.id', 'inbox.release_id')
    .select(['inbox.repository', 'source', 'after', 'phase', 'releases.commit'])
    .where('inbox.repository', 'in', [...repositories])
    .execute();
  const told = rows.filter(({ source }) => source === 'webhook');
  const accepted = pushes.filter((one) => one.accepted > 0);
  // One row for each push that got a 2xx; one whose answer was lost may have a row too.
  expect(new Set(told.map(({ after }) => after)).size).toBe(told.length);
  expect(told.map(({ after }) => after)).toEqual(
    expect.arrayContaining(accepted.map(({ after }) => after)),
  );
  for (const { after, commit, phase } of rows) {
    expect(FATES).toContain(phase);
    expect(numberOf(commit ?? '')).toBeGreaterThanOrEqual(numberOf(after ?? ''));
  }

  const deployments = await db
    .selectFrom('deployments')
    .innerJoin('releases', 'releases.id', 'deployments.release_id')
    .select(['deployments.repository', 'commit', 'deployments.phase'])
    .where('deployments.repository', 'in', [...repositories])
    .execute();
  const commits = deployments.map(({ commit }) => commit);
  expect(new Set(commits).size).toBe(commits.length);
  for (const repository of repositories) {
    const head = rig.forge.heads.get(repository);
    const commit = head && 'commit' in head ? head.commit : '';
    const applied = (rig.applied.get(repository) ?? []).map((one) => one.commit);
    expect(applied.at(-1)).toBe(commit);
    // Never an older one after a newer one, and none again.
    expect(applied.map(numberOf)).toEqual(
      [...new Set(applied.map(numberOf))].sort((a, b) => a - b),
    );
    expect(
      deployments.find((one) => one.repository === repository && one.commit === commit)?.phase,
    ).toBe('succeeded');
  }
  const count = (phase: string) => deployments.filter((one) => one.phase === phase).length;
  return {
    releases: deployments.length,
    succeeded: count('succeeded'),
    superseded: count('superseded'),
  };
}
