import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startService, type Service } from '../../../src/adapters/process/service.ts';
import { findInCache } from '../../../src/adapters/tools/cache.ts';
import { ensureToolsIn } from '../../../src/adapters/tools/ensure-tools.ts';
import { createFakeMachine, putGo, type FakeMachine } from '../../support/fake-tools.ts';
import { until } from '../../support/until.ts';

const FIXTURE = join(import.meta.dirname, '../../fixtures/ensure-tools.ts');
/** A build that goes on until the file `go-on` is there, or for a minute. */
const LONG_BUILD =
  'n=0; while [ ! -e ../../go-on ] && [ $n -lt 600 ]; do sleep 0.1; n=$((n+1)); done';

let machine: FakeMachine;
beforeEach(async () => {
  machine = await createFakeMachine();
});
afterEach(async () => {
  await letBuildsEnd();
  await machine.remove();
});

const letBuildsEnd = () => writeFile(join(machine.folder, 'go-on'), '');
const output = (name: string) => readFile(join(machine.folder, name), 'utf8');
const hasStartedToBuild = async () => (await machine.calls()).some((call) => /go build/.test(call));

function startInstall(name: string): Promise<Service> {
  return startService(process.execPath, [FIXTURE, machine.folder, 'widget'], {
    env: { PATH: process.env.PATH ?? '' },
    logFile: join(machine.folder, name),
  });
}

test('of two processes that install at once one does the work, and both have the tool', async () => {
  await putGo(machine, { first: LONG_BUILD });
  const first = await startInstall('first');
  await until(hasStartedToBuild);
  const second = await startInstall('second');
  await until(async () => (await output('second')).includes(`waiting for ${first.pid}`));
  await letBuildsEnd();
  expect([await first.ended, await second.ended]).toEqual([0, 0]);
  expect((await output('second')).trim().split('\n').at(-1)).toBe((await output('first')).trim());
  expect((await machine.calls()).filter((call) => /go build/.test(call))).toHaveLength(1);
});

test('an installation that was killed leaves nothing that counts, and no lock', async () => {
  await putGo(machine, { first: LONG_BUILD });
  const killed = await startInstall('killed');
  await until(hasStartedToBuild);
  process.kill(killed.pid, 'SIGKILL');
  await killed.ended;
  expect(await findInCache(machine.context, 'widget')).toBeUndefined();
  await putGo(machine);
  const paths = await ensureToolsIn(machine.context, ['widget']);
  expect(paths.get('widget')).toContain('cache/widget/');
  expect(await readdir(join(machine.folder, 'cache'))).toEqual(['lock', 'widget']);
});

test('who aborts an installation ends the build and leaves nothing', async () => {
  await putGo(machine, { first: LONG_BUILD });
  const abort = new AbortController();
  const ended = ensureToolsIn(machine.context, ['widget'], { signal: abort.signal });
  await until(hasStartedToBuild);
  abort.abort();
  await expect(ended).rejects.toThrow('aborted');
  expect(await readdir(join(machine.folder, 'cache'))).toEqual(['lock']);
});
