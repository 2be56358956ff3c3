import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { acceptCommit } from '../../activities/accept-commit.ts';
import { Mirror } from '../../src/adapters/git/mirror.ts';
import type { DeploymentKind } from '../../src/domain/overtaking.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startGitHost, type GitHost } from '../support/git-host.ts';

const place = { repository: 'deployments', name: 'cs-dev' };
let database: TestDatabase;
let host: GitHost;
let older: string;
let newer: string;

beforeAll(async () => {
  [database, host] = await Promise.all([createTestDatabase(), startGitHost()]);
  older = await host.commit({ files: { 'a.txt': 'one\n' } });
  newer = await host.commit({ files: { 'a.txt': 'two\n' } });
  const environment = { ...place, cluster: 'notprod', namespace: 'cs-dev' };
  await database.store.environments.sync([environment]);
});
beforeEach(async () => {
  await database.store.holds.resume({ ...place, actor: 'Ada', requestId: 'r' });
  await accept(newer, 'automatic');
});
afterAll(() => Promise.all([database.close(), host.stop()]));

test('an older commit that a person asks for holds its environment, or the next merge would undo it', async () => {
  await accept(older, 'manual');
  const hold = await database.store.holds.find(place);
  expect(hold).toMatchObject({ by: 'slipway', until: null });
  expect(hold?.reason).toBe(
    `Release #7 (${older.slice(0, 8)}) was deployed on purpose, though ${newer.slice(0, 8)} is newer: the next merge would undo it.`,
  );
  expect(await accepted()).toBe(older);
});

test('the accepted commit again, or a rewritten history, holds nothing', async () => {
  await accept(newer, 'manual');
  const rewritten = await host.commit({ files: { 'a.txt': 'three\n' }, parents: [] });
  await accept(rewritten, 'manual');
  expect(await database.store.holds.find(place)).toBeUndefined();
  expect(await accepted()).toBe(rewritten);
});

test('a rollback that somebody resumed before it began holds its environment all the same', async () => {
  await accept(older, 'rollback');
  expect(await database.store.holds.find(place)).toMatchObject({ by: 'slipway' });
  expect(await accepted()).toBe(older);
});

test('a hold that a person made keeps its reason', async () => {
  await database.store.holds.hold({ ...place, actor: 'Ada', requestId: 'r', reason: 'audit' });
  await accept(older, 'manual');
  expect(await database.store.holds.find(place)).toMatchObject({ by: 'Ada', reason: 'audit' });
});

function accept(commit: string, kind: DeploymentKind) {
  const { deployments, environments, holds } = database.store;
  const path = process.env.PATH ?? '/usr/bin:/bin';
  const access = { path, url: host.url, folder: host.folder };
  const mirror = new Mirror(access, 'main');
  const deps = { deployments, acceptedCommits: environments, holds, mirror: () => mirror };
  const environment = { repository: place.repository, environment: place.name };
  const request = { deploymentId: 'dep_7', releaseNumber: 7, kind, commit };
  return acceptCommit(deps, { ...environment, ...request }, new AbortController().signal);
}

function accepted() {
  return database.store.environments.acceptedCommit(place.repository, place.name);
}
