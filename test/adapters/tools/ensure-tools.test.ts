import { createHash } from 'node:crypto';
import { access, appendFile, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensureToolsIn } from '../../../src/adapters/tools/ensure-tools.ts';
import type { Progress } from '../../../src/adapters/tools/progress.ts';
import {
  createFakeMachine,
  putGo,
  putOnPath,
  putPython,
  type FakeMachine,
} from '../../support/fake-tools.ts';

let machine: FakeMachine;
beforeEach(async () => {
  machine = await createFakeMachine();
});
afterEach(() => machine.remove());

const ensure = (...names: string[]) => ensureToolsIn(machine.context, names);
const builds = async () =>
  (await machine.calls()).filter((call) => call.startsWith('go build')).length;

test('a tool on PATH in an accepted version is used where it is', async () => {
  await putOnPath(machine, 'widget', 'echo fake version 1.4.0');
  expect((await ensure('widget')).get('widget')).toBe(join(machine.folder, 'bin/widget'));
});

test('a tool on PATH in another version is passed over', async () => {
  await putOnPath(machine, 'widget', 'echo fake version 2.0.0');
  await putGo(machine);
  expect((await ensure('widget')).get('widget')).toContain('cache/widget/1.2.3-');
});

test('once everything is there, the check runs no program', async () => {
  await putOnPath(machine, 'gadget', 'echo fake version 1.4.0');
  await putGo(machine);
  const first = await ensure('gadget', 'widget');
  const calls = await machine.calls();
  expect(await ensure('gadget', 'widget')).toEqual(first);
  expect(await machine.calls()).toEqual(calls);
});

test('a tool on PATH that was replaced since is looked at again', async () => {
  await putOnPath(machine, 'widget', 'echo fake version 1.4.0');
  await ensure('widget');
  await putOnPath(machine, 'widget', 'echo fake version 0.9');
  await putGo(machine);
  expect((await ensure('widget')).get('widget')).toContain('cache/widget/');
});

test('tools of one Go module are built together', async () => {
  await putGo(machine);
  await ensure('widget', 'sprocket');
  expect(await builds()).toBe(1);
});

test('Go sees the settings of its user and nothing else, and fetches no other Go', async () => {
  await putGo(machine);
  await ensure('widget');
  const env = (await readFile(join(machine.folder, 'go-env'), 'utf8')).split('\n');
  expect(env).toEqual(
    expect.arrayContaining([
      'GOTOOLCHAIN=local',
      'CGO_ENABLED=0',
      'GOPROXY=https://proxy.example.org',
    ]),
  );
  expect(env.join()).not.toContain('SECRET');
});

test('a wheel is taken when its hash is the pinned one', async () => {
  await putPython(machine);
  const path = (await ensure('gadget')).get('gadget') ?? '';
  await expect(access(path)).resolves.toBeUndefined();
});

test('a corrupted download is refused with the expected and the actual hash', async () => {
  await putPython(machine, 'something else');
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  await expect(ensure('gadget')).rejects.toThrow(
    `expected ${hash('the wheel of gadget')}, got ${hash('something else')}`,
  );
});

test('when a source fails, its reason is reported and the next one is tried', async () => {
  await putOnPath(machine, 'python3', 'echo "no index" >&2; exit 1');
  await putGo(machine);
  const ends: Progress['ended'][] = [];
  const paths = await ensureToolsIn(machine.context, ['gadget'], {
    onProgress: ({ ended }) => ended && ends.push(ended),
  });
  expect(paths.get('gadget')).toContain('cache/gadget/');
  expect(ends).toEqual([{ failure: 'pip download: no index' }, {}]);
});

test('one error names every way that was tried, why it failed, and what to do', async () => {
  await putOnPath(machine, 'gadget', 'echo fake version 0.1.0');
  await putOnPath(machine, 'python3', 'echo "no index" >&2; exit 1');
  await putGo(machine, { version: '1.19.8' });
  const error = await ensure('gadget', 'widget').catch((thrown: unknown) => thrown);
  expect((error as Error).message.replaceAll(machine.folder, '')).toMatchInlineSnapshot(`
    "some tools could not be installed
    gadget 1.2.3:
      PATH: /bin/gadget is 0.1.0, accepted is >= 1.2.0 and < 2.0.0
      downloading its package: pip download: no index
      building with Go: Go 1.26.4 or newer is needed, /bin/go is 1.19.8
    widget 1.2.3:
      PATH: not on PATH
      building with Go: Go 1.26.4 or newer is needed, /bin/go is 1.19.8
    Repair one of these ways, or put the program on PATH in an accepted version; then run \`slipway tools install\`."
  `);
});

test('what could be installed stays, though another tool could not', async () => {
  await putPython(machine);
  await putOnPath(machine, 'go', 'echo "no compiler" >&2; exit 1');
  await expect(ensure('gadget', 'widget')).rejects.toThrow('widget 1.2.3');
  expect((await ensure('gadget')).size).toBe(1);
});

test('a program that calls itself another version does not count as installed', async () => {
  await putGo(machine, { says: '1.9.9' });
  await expect(ensure('widget')).rejects.toThrow('it calls itself 1.9.9, not 1.2.3');
  await expect(access(join(machine.folder, 'cache/widget'))).rejects.toThrow('ENOENT');
});

test('an installed program that lost its end is installed again', async () => {
  await putGo(machine);
  const path = (await ensure('widget')).get('widget') ?? '';
  await truncate(path, 4);
  await ensure('widget');
  expect(await builds()).toBe(2);
});

test('a changed go.sum is another build', async () => {
  await putGo(machine);
  await ensure('widget');
  await appendFile(join(machine.folder, 'project/go/go.sum'), 'another\n');
  await ensure('widget');
  expect(await builds()).toBe(2);
});
