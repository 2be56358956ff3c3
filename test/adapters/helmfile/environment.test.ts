import { closeSync, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { childEnvironment } from '../../../src/adapters/helmfile/environment.ts';
import { withWorkspace } from '../../../src/adapters/helmfile/workspace.ts';
import { run } from '../../../src/adapters/process/run.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-environment-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test.runIf(process.platform === 'linux')(
  'a child gets exactly this environment, and nothing of the worker’s',
  async () => {
    process.env['KUBE_TOKEN_OF_THE_WORKER'] = 'not for children';
    const { stdout } = await asHelmfile('/bin/cat', ['/proc/self/environ']);
    expect(stdout.split('\0').filter(Boolean).sort()).toEqual([
      'ALLOWED_IPS=192.0.2.0/24',
      'GOGC=400',
      'GOMEMLIMIT=512MiB',
      'HELMFILE_AWS_SDK_LOG_LEVEL=off',
      'HELMFILE_CACHE_HOME=<attempt>/cache',
      'HELMFILE_DISABLE_HOOKS=true',
      'HELMFILE_DISABLE_INSECURE_FEATURES=true',
      'HELMFILE_DISABLE_INSECURE_TEMPLATE_FUNCTIONS=true',
      'HELMFILE_HELM_BINARY=<attempt>/bin/helm',
      'HELMFILE_KUSTOMIZE_BINARY=<attempt>/bin/kustomize-denied',
      'HELMFILE_TEMPDIR=<attempt>/hf',
      'HELMFILE_UPGRADE_NOTICE_DISABLED=1',
      'HELMFILE_VALS_FAIL_ON_MISSING_KEY_IN_MAP=true',
      'HELM_CACHE_HOME=<data>/helm/notprod/cs-dev/cache',
      'HELM_CONFIG_HOME=<data>/helm/notprod/cs-dev/config',
      'HELM_DATA_HOME=<data>/helm/notprod/cs-dev/data',
      'HELM_DRIVER=secret',
      'HELM_PLUGINS=<attempt>/plugins',
      'HOME=<attempt>/home',
      'KUBECONFIG=<attempt>/kubeconfig',
      'KUBERC=off',
      'LANG=C.UTF-8',
      'NO_COLOR=1',
      'PATH=<attempt>/bin',
      'SLIPWAY_ATTEMPT=dep_1/1',
      'TMPDIR=<attempt>/tmp',
      'TZ=UTC',
    ]);
  },
);

test.runIf(process.platform === 'linux')(
  'a child gets no file that the worker opened',
  async () => {
    const mine = join(folder, 'of-the-worker');
    const descriptor = openSync(mine, 'w');
    const { stdout } = await asHelmfile('/bin/ls', ['-l', '/proc/self/fd']);
    closeSync(descriptor);
    expect(stdout).toContain(' 0 -> /dev/null');
    expect(stdout).not.toContain('of-the-worker');
  },
);

test.runIf(process.platform === 'linux').each([
  [['hooks'], { HOOKS: false, INSECURE_FEATURES: true, INSECURE_TEMPLATE_FUNCTIONS: true }],
  [['readFile'], { HOOKS: true, INSECURE_FEATURES: false, INSECURE_TEMPLATE_FUNCTIONS: false }],
  [['exec'], { HOOKS: true, INSECURE_FEATURES: false, INSECURE_TEMPLATE_FUNCTIONS: false }],
  [['remote'], { HOOKS: true, INSECURE_FEATURES: false, INSECURE_TEMPLATE_FUNCTIONS: true }],
  [['ref+vault'], { HOOKS: true, INSECURE_FEATURES: true, INSECURE_TEMPLATE_FUNCTIONS: true }],
])('%j lifts the switches that it must, and no other', async (allow, expected) => {
  const { stdout } = await asHelmfile('/bin/cat', ['/proc/self/environ'], allow);
  for (const [name, value] of Object.entries(expected)) {
    expect(stdout.split('\0')).toContain(`HELMFILE_DISABLE_${name}=${value}`);
  }
});

test('an attempt’s folder is private, and gone when the attempt ends', async () => {
  const { stdout } = await asHelmfile('/bin/ls', ['-ld', '.']);
  expect(stdout).toMatch(/^drwx------/);
  const { stdout: left } = await run('/bin/ls', [join(folder, 'attempts')], { env: {} });
  expect(left).toBe('');
});

/** Runs a program in the place of helmfile. */
async function asHelmfile(program: string, args: readonly string[], allow: string[] = []) {
  const place = { dataDir: folder, cluster: 'notprod', namespace: 'cs-dev', name: 'cs-dev' };
  const tools = { helm: '/bin/false', helmfile: program };
  return withWorkspace({ ...place, tools, allow }, async (workspace) => {
    const variables = { ALLOWED_IPS: '192.0.2.0/24' };
    const result = await run(join(workspace.bin, 'helmfile'), args, {
      env: childEnvironment(workspace, variables, 'dep_1/1'),
      cwd: workspace.tree,
    });
    const stdout = result.stdout
      .replaceAll(workspace.root, '<attempt>')
      .replaceAll(folder, '<data>');
    return { stdout };
  });
}
