import { readFileSync } from 'node:fs';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { run } from '../../src/adapters/process/run.ts';
import type { RawConfig } from '../../src/config/schema.ts';
import { doctorRepository } from '../../src/main/doctor-repository.ts';
import { importRepository } from '../../src/main/import.ts';
import { printed } from '../support/printed.ts';
import { ReleaseLab, type ReleasedEnvironment } from '../support/released-environment.ts';

const FIXTURE = join(import.meta.dirname, '../fixtures/old-repository');

let lab: ReleaseLab;
let repository: string;
beforeAll(async () => {
  lab = await ReleaseLab.start();
  repository = join(lab.parts.context.folder, 'deployments');
  await cp(join(FIXTURE, 'before'), repository, { recursive: true });
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '.');
  await git('commit', '--quiet', '--message=start');
  vi.stubEnv('CHART_REPOSITORY_URL', lab.charts.url);
  vi.stubEnv('ALLOWED_IPS', '192.0.2.0/24');
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await lab.stop();
});

test('an old repository becomes the expected one, and what there is to say about it is said', async () => {
  const { stdout } = await printed(() => importRepository(repository, { write: true }));
  expect(await filesOf(repository)).toEqual(await filesOf(join(FIXTURE, 'after')));
  await expect(stdout).toMatchFileSnapshot(join(FIXTURE, 'output.txt'));
});

test('a second import changes nothing', async () => {
  const { stdout } = await printed(() => importRepository(repository, { write: true }));
  expect(stdout).toMatch(/^Nothing to change\.\n/);
});

test('the doctor finds the same wrong, and fails for it', async () => {
  const { stdout, exitCode } = await printed(() => doctorRepository(repository, { json: true }));
  const { ok, environments, notes } = JSON.parse(stdout) as {
    ok: boolean;
    environments: unknown;
    notes: { kind: string; text: string; environments?: string[] }[];
  };
  expect({ ok, exitCode }).toEqual({ ok: false, exitCode: 1 });
  expect(environments).toEqual([
    { name: 'cs-dev', builds: true, services: 5 },
    { name: 'wcs-dev', builds: true, services: 4 },
    { name: 'cs-qa', builds: false, services: 3 },
  ]);
  expect(notes.filter(({ kind }) => kind === 'wrong already')).toMatchObject([
    { text: 'No version of the chart charts/example-api for example-api matches "^9.0.0".' },
    { text: 'is not there, though example-worker needs it', environments: ['cs-qa'] },
    { text: 'no service reads the version key example-retired' },
    { text: 'example-frontend reads the version key example-frontend, which is not there' },
  ]);
});

test('with a cluster the doctor names what that does not serve', async () => {
  const folder = join(lab.parts.context.folder, 'outdated');
  await cp(join(FIXTURE, '../outdated-repository'), folder, { recursive: true });
  await git('init', '--quiet', folder);
  const { kubeconfigPath } = lab.kubernetes;
  vi.stubEnv('KUBECONFIG', kubeconfigPath);
  const { stdout } = await printed(() =>
    doctorRepository(folder, { cluster: currentContext(kubeconfigPath) }),
  );
  expect(stdout).toBe(`✓ outdated  1 service

Wrong already:
  helmfile.yaml: web has Ingress (networking.k8s.io/v1beta1), which the cluster does not serve (outdated)
`);
});

// Three releases each, of up to five services.
const RELEASES = { timeout: 300_000 };

test.each(['cs-dev', 'wcs-dev'])('%s plans and deploys as imported', RELEASES, async (name) => {
  const environment = await imported(name);
  const first = await environment.release();
  expect(first.end).toEqual({ phase: 'succeeded' });
  expect(first.plan.restart).toEqual(['deployment/example-frontend']);
  expect(first.plan.services).toHaveLength(name === 'cs-dev' ? 5 : 4);

  const before = await replicaSets(environment);
  const versions = await readFile(join(repository, 'environments/dev/versions.yaml'), 'utf8');
  const bumped = versions.replace("'1.10'", "'1.11'");
  await environment.push({ 'environments/dev/versions.yaml': bumped });
  const second = await environment.release();
  expect(second.end).toEqual({ phase: 'succeeded' });
  expect(second.plan.services.map((service) => service.name)).toEqual([
    'example-audit',
    'example-extracts',
  ]);
  expect(await replicaSets(environment)).toBe(before + 1);

  const third = await environment.release({ manual: true });
  expect(third.end).toEqual({ phase: 'unchanged' });
  expect(await replicaSets(environment)).toBe(before + 1);
});

/** The environment as the imported slipway.yaml has it, on the local cluster. */
async function imported(name: string): Promise<ReleasedEnvironment> {
  const config = parse(await readFile(join(repository, 'slipway.yaml'), 'utf8')) as RawConfig;
  const settings = config.repositories['deployments']?.environments[name];
  const { restart, versionKeys, variables = {} } = settings ?? {};
  const own = Object.entries(variables).map(([key, value]) => {
    return [key, typeof value === 'string' ? value : process.env[key]];
  });
  const files = await filesOf(repository);
  return lab.environment(name, files, { restart, versionKeys, variables: Object.fromEntries(own) });
}

function currentContext(kubeconfigPath: string): string {
  const { 'current-context': context } = parse(readFileSync(kubeconfigPath, 'utf8')) as {
    'current-context': string;
  };
  return context;
}

async function replicaSets(environment: ReleasedEnvironment): Promise<number> {
  const selector = 'app.kubernetes.io/name=example-frontend';
  const args = ['get', 'replicasets', '--selector', selector, '--output', 'name'];
  return (await environment.kubectl(...args)).trim().split('\n').length;
}

async function filesOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .filter((path) => !path.startsWith('.git/'))
    .sort();
  const read = paths.map(
    async (path) => [path, await readFile(join(folder, path), 'utf8')] as const,
  );
  return Object.fromEntries(await Promise.all(read));
}

async function git(...args: string[]): Promise<void> {
  const env = {
    ...{ PATH: process.env['PATH'] ?? '', HOME: lab.parts.context.folder },
    ...{ GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
    ...{ GIT_AUTHOR_NAME: 'Ada', GIT_AUTHOR_EMAIL: 'ada@example.org' },
    ...{ GIT_COMMITTER_NAME: 'Ada', GIT_COMMITTER_EMAIL: 'ada@example.org' },
  };
  const { exitCode, stderr } = await run('git', args, { env, cwd: repository });
  if (exitCode !== 0) throw new Error(stderr);
}
