import { mkdtempSync } from 'node:fs';
import { readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, expect, it } from 'vitest';
import { startPiped } from '../../../src/adapters/process/piped.ts';
import { startService } from '../../../src/adapters/process/service.ts';
import { isAlive } from '../../../src/main/dev/platform-processes.ts';
import { until } from '../../support/until.ts';

const env = { PATH: '/usr/bin:/bin' };
const FAST = { groupTermMs: 100, groupKillMs: 300 };

const folder = mkdtempSync(join(tmpdir(), 'slipway-service-'));
afterAll(() => rm(folder, { recursive: true }));

it('a service writes its log, readable by its owner only, and is ended with its children', async () => {
  const logFile = join(folder, 'stubborn.log');
  const script = `trap '' TERM; (trap '' TERM; while :; do sleep 0.05; done) & echo $!; env >&2; wait`;
  const service = await startService('bash', ['-c', script], { env, logFile });
  await until(async () => (await readFile(logFile, 'utf8')).includes('PATH='));
  await service.stop(FAST);
  expect(await service.ended).toBeNull();
  const log = await readFile(logFile, 'utf8');
  expect(isAlive(Number(log.split('\n')[0]))).toBe(false);
  expect(log).not.toContain('HOME=');
  expect((await stat(logFile)).mode & 0o777).toBe(0o600);
});

it('a service that ends by itself says how, and stopping it then is harmless', async () => {
  const logFile = join(folder, 'short.log');
  const service = await startService('bash', ['-c', 'exit 7'], { env, logFile });
  expect(await service.ended).toBe(7);
  await service.stop();
});

it('a service adds to the log that is there', async () => {
  const logFile = join(folder, 'twice.log');
  for (const word of ['one', 'two']) {
    await (
      await startService('echo', [word], { env, logFile })
    ).ended;
  }
  expect(await readFile(logFile, 'utf8')).toBe('one\ntwo\n');
});

it.each([
  ['service', () => startService('/no/such', [], { env, logFile: join(folder, 'none.log') })],
  ['piped program', () => startPiped('/no/such', [], { env })],
])('a %s that cannot be started is named', async (_kind, start) => {
  await expect(start()).rejects.toMatchObject({
    code: 'tool-missing',
    message: 'cannot start /no/such',
  });
});

it('a piped program reads and writes streams, and is ended with its children', async () => {
  const cat = await startPiped('cat', [], { env });
  cat.stdin.end('through\n');
  expect(await text(cat.stdout)).toBe('through\n');
  expect(await cat.ended).toBe(0);

  const endless = await startPiped('bash', ['-c', 'sleep 60 & sleep 60'], { env });
  await endless.stop(FAST);
  expect(await endless.ended).toBeNull();
});
