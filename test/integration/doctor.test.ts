import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../src/adapters/process/run.ts';
import { ensureTools } from '../../src/adapters/tools/ensure-tools.ts';

const CLI = join(import.meta.dirname, '../../src/main/cli.ts');
const HELMFILE = `environments:
  sound: { values: [versions.yaml] }
  random: { values: [versions.yaml] }
  wrong: { values: [versions.yaml] }
  hooked: { values: [versions.yaml] }
---
helmDefaults: { createNamespace: false, historyMax: 20, wait: true }
releases:
  - name: web
    chart: ./chart
    values: [values/{{ .Environment.Name }}.yaml.gotmpl]
    {{- if eq .Environment.Name "hooked" }}
    hooks: [{ events: [presync], command: echo, args: [SECRET-OF-MINE] }]
    {{- end }}
`;
const FILES: Readonly<Record<string, string>> = {
  'helmfile.yaml.gotmpl': HELMFILE,
  'versions.yaml': 'versions:\n  web: 1.0.0\n',
  'values/sound.yaml.gotmpl': 'version: {{ .Values.versions.web }}\nips: {{ env "ALLOWED_IPS" }}\n',
  'values/random.yaml.gotmpl': 'version: {{ .Values.versions.web }}\nkey: {{ randAlphaNum 8 }}\n',
  'values/wrong.yaml.gotmpl': 'version: {{ .Values.versions.nobody.at.all }}\n',
  'values/hooked.yaml.gotmpl': 'version: {{ .Values.versions.web }}\n',
  'chart/Chart.yaml': 'apiVersion: v2\nname: own\nversion: 0.1.0\n',
  'slipway.yaml': config(['sound', 'random', 'wrong']),
};

let folder: string;
let repository: string;
beforeAll(async () => {
  await ensureTools(['helm', 'helmfile']);
  folder = await mkdtemp(join(tmpdir(), 'slipway-doctor-'));
  repository = join(folder, 'deployments');
  await write(FILES);
  const { exitCode } = await run('git', ['init', '--quiet', repository], { env: env() });
  expect(exitCode).toBe(0);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('every environment is evaluated, and what is wrong or may surprise is said', async () => {
  await symlink('versions.yaml', join(repository, 'link'));
  const { stdout, stderr, exitCode } = await doctor('--json');
  await rm(join(repository, 'link'));
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 1 });
  const { environments, notes } = JSON.parse(stdout) as {
    environments: { name: string; builds: boolean }[];
    notes: unknown;
  };
  expect(stdout).toContain('"ok": false');
  expect(environments.map(({ name, builds }) => `${name} ${builds}`)).toEqual([
    'sound true',
    'random true',
    'wrong false',
    'hooked false',
  ]);
  expect(notes).toMatchObject([
    { kind: 'wrong already', file: 'link', text: expect.stringContaining('is a link') as string },
    {
      ...{ kind: 'wrong already', environments: ['wrong'] },
      text: expect.stringMatching(/^it does not build: .*finds no "nobody"/) as string,
    },
    {
      ...{ kind: 'wrong already', environments: ['hooked'] },
      text: expect.stringContaining(
        'hooks runs commands; permit it with `allow: [hooks]`',
      ) as string,
    },
    {
      ...{ kind: 'worth knowing', file: 'values/sound.yaml.gotmpl', environments: ['sound'] },
      text: 'reads the environment variable ALLOWED_IPS, which `variables` of slipway.yaml do not give',
    },
    {
      text: 'web is never evaluated alike twice, so each release changes it',
      environments: ['random'],
    },
    { text: 'not in slipway.yaml, so nobody releases it', environments: ['hooked'] },
  ]);
  expect(stdout).not.toContain('SECRET-OF-MINE');
});

test('a sound repository passes', async () => {
  await write({
    'helmfile.yaml.gotmpl': HELMFILE.replace(/ {2}(random|wrong|hooked): .*\n/g, ''),
    'slipway.yaml': config(['sound']).replace(
      'sound: {',
      'sound: { variables: { ALLOWED_IPS: all },',
    ),
  });
  const { stdout, exitCode } = await doctor();
  expect({ stdout, exitCode }).toEqual({ stdout: '✓ sound  1 service\n', exitCode: 0 });
});

test('mistakes of slipway.yaml are told with their lines', async () => {
  await write({ 'slipway.yaml': config(['sound']).replace('version: 1', 'version: 2') });
  const { stdout, exitCode } = await doctor();
  expect(stdout).toContain('Wrong already:\n  slipway.yaml:1: version must be 1');
  expect(exitCode).toBe(1);
});

function config(environments: readonly string[]): string {
  return `version: 1
server: { url: https://slipway.example.org }
database: { url: { env: DATABASE_URL } }
temporal: { address: temporal:7233 }
dataDir: /var/lib/slipway
clusters: { notprod: { server: https://kube.example.org } }
repositories:
  deployments:
    url: https://git.example.org/deployments.git
    environments:
${environments.map((name) => `      ${name}: { cluster: notprod, token: { env: TOKEN } }\n`).join('')}`;
}

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(repository, file)), { recursive: true });
    await writeFile(join(repository, file), text);
  }
}

function doctor(...args: string[]) {
  return run(process.execPath, [CLI, 'doctor', repository, ...args], { env: env() });
}

function env(): Record<string, string> {
  return { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? folder };
}
