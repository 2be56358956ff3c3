import { afterAll, beforeAll, expect, it } from 'vitest';
import { createPostgresLogSink } from '../../../src/adapters/postgres/logs.ts';
import type { LogSink } from '../../../src/contract/log-sink.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { idOf, storeRelease } from '../../support/records.ts';

let database: TestDatabase;
let sink: LogSink;
beforeAll(async () => {
  database = await createTestDatabase();
  sink = createPostgresLogSink(database.db);
});
afterAll(() => database.close());

async function storeDeployment(): Promise<string> {
  return idOf((await storeRelease(database.store)).deployments, 'cs-dev');
}

function read(deploymentId: string, after = 0) {
  return database.store.logs.read({ deploymentId, after, limit: 200 });
}

it('lines keep their order when several steps print at the same time', async () => {
  const deploymentId = await storeDeployment();
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      sink.append({
        deploymentId,
        attempt: 1,
        step: index % 2 === 0 ? 'apply' : 'rollout',
        lines: [`${index} a`, `${index} b`],
      }),
    ),
  );
  const { items } = await read(deploymentId);
  expect(items.map(({ line }) => line)).toEqual(
    Array.from({ length: 40 }, (_, index) => index + 1),
  );
  for (let at = 0; at < items.length; at += 2) {
    expect(items[at]?.text.replace('a', 'b')).toBe(items[at + 1]?.text);
  }
});

it('an attempt that prints without end is cut once, and says so', async () => {
  const deploymentId = await storeDeployment();
  const megabyte = 'x'.repeat(1024 * 1024 - 1);
  for (let count = 0; count < 10; count += 1) {
    await sink.append({ deploymentId, attempt: 1, step: 'apply', lines: [megabyte] });
  }
  const { items } = await read(deploymentId);
  expect(items).toHaveLength(8);
  expect(items.at(-1)?.text).toContain('more than 8 MiB');
  expect(items.slice(0, 7).every(({ text }) => text === megabyte)).toBe(true);
});

it('the next attempt may print again', async () => {
  const deploymentId = await storeDeployment();
  const tooMuch = 'x'.repeat(9 * 1024 * 1024);
  await sink.append({
    deploymentId,
    attempt: 1,
    step: 'apply',
    lines: ['before', tooMuch, 'gone'],
  });
  await sink.append({ deploymentId, attempt: 1, step: 'apply', lines: ['gone'] });
  await sink.append({ deploymentId, attempt: 2, step: 'apply', lines: ['again'] });
  const { items } = await read(deploymentId);
  expect(items.map(({ text }) => text.slice(0, 9))).toEqual(['before', '[slipway]', 'again']);
});

it('lines may hold what PostgreSQL does not store, and none at all', async () => {
  const deploymentId = await storeDeployment();
  await sink.append({ deploymentId, attempt: 0, step: 'checkout', lines: [] });
  await sink.append({
    deploymentId,
    attempt: 0,
    step: 'plan',
    lines: ['a\0b', '{"\\', '', 'NULL'],
  });
  const { items } = await read(deploymentId);
  expect(items.map(({ text }) => text)).toEqual(['a\ufffdb', '{"\\', '', 'NULL']);
});
