import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { idOf, logLines, storeRelease } from '../../support/records.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

async function storeDeployment(): Promise<string> {
  return idOf((await storeRelease(database.store)).deployments, 'cs-dev');
}

function append(...lines: Parameters<typeof logLines>) {
  return database.store.logs.append(logLines(...lines));
}

function read(deploymentId: string, after = 0) {
  return database.store.logs.read({ deploymentId, after, limit: 200 });
}

it('lines keep their order when several steps print at the same time', async () => {
  const deploymentId = await storeDeployment();
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      append(deploymentId, [`${index} a`, `${index} b`], {
        step: index % 2 === 0 ? 'apply' : 'rollout',
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
    await append(deploymentId, [megabyte]);
  }
  const { items } = await read(deploymentId);
  expect(items).toHaveLength(8);
  expect(items.at(-1)?.text).toContain('more than 8 MiB');
  expect(items.slice(0, 7).every(({ text }) => text === megabyte)).toBe(true);
});

it('the next attempt may print again', async () => {
  const deploymentId = await storeDeployment();
  const tooMuch = 'x'.repeat(9 * 1024 * 1024);
  await append(deploymentId, ['before', tooMuch, 'gone']);
  await append(deploymentId, ['gone']);
  await append(deploymentId, ['again'], { attempt: 2 });
  const { items } = await read(deploymentId);
  expect(items.map(({ text }) => text.slice(0, 9))).toEqual(['before', '[slipway]', 'again']);
});

it('lines may hold what PostgreSQL does not store, and none at all', async () => {
  const deploymentId = await storeDeployment();
  await append(deploymentId, [], { attempt: 0, step: 'checkout' });
  await append(deploymentId, ['a\0b', '{"\\', '', 'NULL'], { attempt: 0, step: 'plan' });
  const { items } = await read(deploymentId);
  expect(items.map(({ text }) => text)).toEqual(['a\ufffdb', '{"\\', '', 'NULL']);
});

it('a part that comes again, whole or cut another way, is stored once', async () => {
  const written = Array.from({ length: 40 }, (_, line) => `line ${line}`);
  // Where the writer was, and what it sends next: always some of what may be known, never a gap.
  const part = fc.record({ back: fc.nat(8), length: fc.integer({ min: 1, max: 12 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 12 }), async (parts) => {
      const deploymentId = await storeDeployment();
      const stream = 'one writer';
      let known = 0;
      for (const { back, length } of parts) {
        const first = Math.max(0, known - back);
        const lines = written.slice(first, first + length);
        await append(deploymentId, lines, { stream, first });
        known = Math.max(known, first + lines.length);
      }
      const { items } = await read(deploymentId);
      expect(items.map(({ text }) => text)).toEqual(written.slice(0, known));
    }),
    { numRuns: 30 },
  );
});

it('lines that never came are counted where they are missing', async () => {
  const deploymentId = await storeDeployment();
  const stream = 'one writer';
  await append(deploymentId, ['one'], { stream });
  await append(deploymentId, ['other'], { stream: 'another writer' });
  await append(deploymentId, ['five'], { stream, first: 4 });
  const { items } = await read(deploymentId);
  expect(items.map(({ text }) => text)).toEqual([
    'one',
    'other',
    '[slipway] 3 lines are missing here: the worker could not keep them.',
    'five',
  ]);
});

it('a line tells when it was written, not when it arrived', async () => {
  const deploymentId = await storeDeployment();
  const at = '2026-01-02T03:04:05.000Z';
  await append(deploymentId, ['late'], { at });
  expect((await read(deploymentId)).items).toMatchObject([{ text: 'late', at }]);
});
