import { existsSync, mkdtempSync } from 'node:fs';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { childEnvironment } from '../../../src/adapters/helmfile/environment.ts';
import { withWorkspace } from '../../../src/adapters/helmfile/workspace.ts';
import { run } from '../../../src/adapters/process/run.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'slipway-workspace-'));
afterAll(() => rm(dataDir, { recursive: true }));

const PLACE = {
  ...{ dataDir, cluster: 'notprod', namespace: 'cs-qa', name: 'cs-qa-dep_1-1' },
  tools: { helm: '/bin/true', helmfile: '/usr/bin/env' },
};

it('a workspace is for its owner only, and holds helm and helmfile and no other program', async () => {
  await withWorkspace(PLACE, async ({ root, tree, bin, helmHome }) => {
    for (const folder of [root, tree, bin, helmHome]) {
      expect((await stat(folder)).mode & 0o077, folder).toBe(0);
    }
    expect((await readdir(bin)).sort()).toEqual(['helm', 'helmfile']);
  });
});

it('a workspace is removed however the work ends, and what helm keeps lives on', async () => {
  const error = new Error('the apply failed');
  let seen = '';
  const work = withWorkspace(PLACE, async ({ root, tree, helmHome }) => {
    seen = root;
    await mkdir(join(tree, 'deep'));
    await writeFile(join(tree, 'deep', 'file'), '');
    await writeFile(join(helmHome, 'config', 'repositories.yaml'), 'kept');
    throw error;
  });
  await expect(work).rejects.toBe(error);
  expect(existsSync(seen)).toBe(false);
  await withWorkspace(PLACE, ({ root, helmHome }) => {
    expect(root).not.toBe(seen);
    expect(existsSync(join(helmHome, 'config', 'repositories.yaml'))).toBe(true);
    return Promise.resolve();
  });
});

it('helmfile sees the configured variables and what it needs, and nothing of this process', async () => {
  process.env.SLIPWAY_TEST_SECRET = 'must not leak';
  const lines = await withWorkspace(PLACE, async (workspace) => {
    // `env` stands in for helmfile.
    const env = childEnvironment(workspace, { ALLOWED_IPS: '192.0.2.0/24' }, 'dep_1/1');
    const { stdout } = await run(join(workspace.bin, 'helmfile'), [], { env });
    return stdout.replaceAll(workspace.root, '<root>').trim().split('\n');
  });
  delete process.env.SLIPWAY_TEST_SECRET;
  const seen: Record<string, string> = Object.fromEntries(
    lines.map((line): [string, string] => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
  expect(seen).toMatchObject({
    ALLOWED_IPS: '192.0.2.0/24',
    PATH: '<root>/bin',
    HOME: '<root>/home',
    KUBECONFIG: '<root>/kubeconfig',
    SLIPWAY_ATTEMPT: 'dep_1/1',
  });
  const foreign = Object.keys(seen).filter(
    (name) => !/^(HELM|KUBE|SLIPWAY_ATTEMPT$|ALLOWED_IPS$)/.test(name),
  );
  expect(foreign.sort()).toEqual([
    'GOGC',
    'GOMEMLIMIT',
    'HOME',
    'LANG',
    'NO_COLOR',
    'PATH',
    'TMPDIR',
    'TZ',
  ]);
});

it('a variable of the configuration cannot take the place of what holds helmfile in', async () => {
  await withWorkspace(PLACE, (workspace) => {
    const env = childEnvironment(workspace, { PATH: '/evil', KUBECONFIG: '/evil' }, 'dep_1/1');
    expect(Object.values(env)).not.toContain('/evil');
    return Promise.resolve();
  });
});
