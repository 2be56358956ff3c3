import { existsSync } from 'node:fs';
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '../../src/adapters/process/run.ts';
import { startService } from '../../src/adapters/process/service.ts';
import { until } from '../support/until.ts';

const CHECKOUT = join(import.meta.dirname, '../..');
/** Stands for both programs that the bootstrap starts on the pinned Node. */
const STUB = `
console.log(JSON.stringify(process.argv.slice(2)));
if (process.argv.includes('--wait')) {
  process.on('SIGTERM', () => process.exit(5));
  setInterval(() => {}, 1000);
} else process.exitCode = Number(process.env.STUB_EXIT ?? 0);
`;

let project: string;
let env: Record<string, string>;

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'slipway-bootstrap-'));
  for (const file of ['tools/bootstrap.mjs', 'src/adapters/tools/lock.mjs', 'bin/slipway']) {
    await mkdir(dirname(join(project, file)), { recursive: true });
    await copyFile(join(CHECKOUT, file), join(project, file));
  }
  await write('package.json', '{ "type": "module" }');
  await write('package-lock.json', 'one');
  await write('src/main/cli.ts', STUB);
  await write('tools/test.ts', STUB);
  await putNpm('');
  await symlink(process.execPath, join(project, 'fake/node'));
  env = { PATH: `${join(project, 'fake')}:/usr/bin:/bin` };
});
afterEach(() => rm(project, { recursive: true, force: true }));

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(join(project, file)), { recursive: true });
  await writeFile(join(project, file), text);
}

/** An npm that brings the pinned Node, after what `first` does. */
async function putNpm(first: string): Promise<void> {
  const script = `#!/bin/sh
echo "npm $*" >> '${project}/npm-calls'
echo 'added 1 package'
rm -rf node_modules
${first}
mkdir -p node_modules/node/bin && ln -s '${process.execPath}' node_modules/node/bin/node
`;
  await write('fake/npm', script);
  await chmod(join(project, 'fake/npm'), 0o755);
}

const bootstrap = (...args: string[]) =>
  run(process.execPath, [join(project, 'tools/bootstrap.mjs'), ...args], { env, cwd: '/' });
const npmCalls = async () =>
  (await readFile(join(project, 'npm-calls'), 'utf8')).split('\n').length - 1;

test('stdout is that of the command alone, whatever npm prints', async () => {
  const { stdout, stderr } = await bootstrap('cli', 'doctor', '--json');
  expect(stdout).toBe('["doctor","--json"]\n');
  expect(stderr).toContain('added 1 package');
});

test('the demo is the story of `slipway dev`, with further options passed on', async () => {
  expect((await bootstrap('demo', '--exit', '--json')).stdout).toBe(
    '["dev","--story","--exit","--json"]\n',
  );
});

test('packages are installed again only when the lock file changed', async () => {
  await bootstrap('test');
  await bootstrap('cli');
  expect(await npmCalls()).toBe(1);
  await write('package-lock.json', 'two');
  await bootstrap('test');
  expect(await npmCalls()).toBe(2);
});

test('an installation that failed does not count', async () => {
  await putNpm('echo "no network" >&2; exit 3');
  const failed = await bootstrap('test');
  expect(failed).toMatchObject({ exitCode: 1, stdout: '' });
  expect(failed.stderr).toContain('no network\nslipway: npm ci ended with 3');
  await putNpm('');
  expect((await bootstrap('test')).exitCode).toBe(0);
});

test('of two at once one installs and both run', async () => {
  await putNpm(`n=0; while [ ! -e go-on ] && [ $n -lt 300 ]; do sleep 0.1; n=$((n+1)); done`);
  const first = bootstrap('cli', 'first');
  await until(() => existsSync(join(project, 'npm-calls')));
  let waits = false;
  const args = [join(project, 'tools/bootstrap.mjs'), 'cli', 'second'];
  const onLine = (line: string) => {
    waits ||= line.includes('waiting for process');
  };
  const second = run(process.execPath, args, { env, onLine });
  await until(() => waits);
  await write('go-on', '');
  expect([(await first).stdout, (await second).stdout]).toEqual(['["first"]\n', '["second"]\n']);
  expect(await npmCalls()).toBe(1);
});

test('the exit status of the command is passed on', async () => {
  env.STUB_EXIT = '7';
  expect((await bootstrap('cli')).exitCode).toBe(7);
});

test('a signal reaches the command, and its end is waited for', async () => {
  await bootstrap('cli');
  const args = [join(project, 'tools/bootstrap.mjs'), 'cli', '--wait'];
  const logFile = join(project, 'log');
  const service = await startService(process.execPath, args, { env, logFile });
  await until(async () => (await readFile(logFile, 'utf8')).includes('--wait'));
  process.kill(service.pid, 'SIGTERM');
  expect(await service.ended).toBe(5);
});

test('npm does not run on the Node that it is about to remove', async () => {
  await bootstrap('cli');
  await write('package-lock.json', 'two');
  await putNpm(`command -v node > '${project}/npm-node'`);
  env.PATH = `${project}/node_modules/.bin:${env.PATH ?? ''}`;
  await mkdir(join(project, 'node_modules/.bin'), { recursive: true });
  await symlink(process.execPath, join(project, 'node_modules/.bin/node'));
  await bootstrap('cli');
  expect((await readFile(join(project, 'npm-node'), 'utf8')).trim()).toBe(
    join(project, 'fake/node'),
  );
});

test('bin/slipway works through a link, from anywhere, before and after the installation', async () => {
  const link = join(project, 'fake/slipway');
  await symlink('../bin/slipway', link);
  for (const name of ['first', 'second']) {
    expect((await run(link, [name], { env, cwd: '/' })).stdout).toBe(`["${name}"]\n`);
  }
  expect(await npmCalls()).toBe(1);
});
