import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../src/adapters/process/run.ts';
import { TOOL_NAMES } from '../../src/adapters/tools/manifest.ts';

const CLI = join(import.meta.dirname, '../../src/main/cli.ts');

let emptyFolder: string;
beforeAll(async () => {
  emptyFolder = await mkdtemp(join(tmpdir(), 'slipway-cli-'));
});
afterAll(() => rm(emptyFolder, { recursive: true, force: true }));

/** The command line on a machine that has nothing. */
const slipway = (...args: string[]) =>
  run(process.execPath, [CLI, ...args], {
    env: { PATH: emptyFolder, HOME: emptyFolder, SLIPWAY_TOOLS_DIR: join(emptyFolder, 'tools') },
  });

test('version prints a version, and nothing else', async () => {
  const result = await slipway('version');
  expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  expect(result.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test.each([[['nonsense']], [['doctor', '--nonsense']], [[]]])(
  'wrong usage is exit status 2 and says so on stderr: %j',
  async (args) => {
    const result = await slipway(...args);
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toContain('--help');
  },
);

test('help is no failure', async () => {
  expect(await slipway('--help')).toMatchObject({ exitCode: 0, stderr: '' });
});

test('doctor says for each missing tool what to do, and ends with 1', async () => {
  const { exitCode, stdout } = await slipway('doctor', '--json');
  const findings = JSON.parse(stdout) as { ok: boolean; tools: { name: string; remedy: string }[] };
  expect({ exitCode, ok: findings.ok }).toEqual({ exitCode: 1, ok: false });
  expect(findings.tools.map(({ name }) => name)).toEqual(TOOL_NAMES);
  expect(findings.tools.every(({ remedy }) => remedy.includes('slipway tools install'))).toBe(true);
  expect((await slipway('doctor')).stdout).toContain('✕ helmfile');
});

test('an error is told in words; its stack only on request', async () => {
  const { exitCode, stdout, stderr } = await slipway('tools', 'install');
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  expect(stderr).toContain('slipway: some tools could not be installed');
  expect(stderr).not.toContain('    at ');
});
