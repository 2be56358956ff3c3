import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { run } from '../../src/adapters/process/run.ts';
import type { PlanResult } from '../../src/contract/workflow/activities.ts';
import { startChartRegistry } from '../support/chart-registry.ts';
import { repository } from '../support/own-services.ts';
import { recordTools } from '../support/recorded-tools.ts';
import { ReleaseLab } from '../support/released-environment.ts';
import { writeFiles } from '../support/write-files.ts';

let lab: ReleaseLab;
beforeAll(async () => {
  lab = await ReleaseLab.start();
});
afterAll(() => lab.stop());
afterEach(() => {
  vi.unstubAllEnvs();
});

describe('a chart of the repository that lacks what it depends on', () => {
  const NAME = 'dependent';
  const chart = (range: string) => `apiVersion: v2
name: app
version: 0.1.0
dependencies:
  - { name: example-api, version: "${range}", repository: "${lab.charts.url}" }
  - { name: common, version: ">=0", repository: "file://../common" }
`;
  const setting = (value: string) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: common }\ndata: { key: ${value} }\n`;

  test('is released with what Helm fetches for it, and released again when that moves', async () => {
    const environment = await lab.environment(NAME, {
      'helmfile.yaml.gotmpl': `environments: { ${NAME}: {} }
---
helmDefaults: { wait: true, timeout: 20, createNamespace: false }
repositories:
  - { name: charts, url: {{ requiredEnv "CHART_REPOSITORY_URL" | quote }} }
releases:
  - name: web
    chart: ./app
    values: [{ example-api: { generic-service: { version: "1", replicas: 1 } } }]
`,
      'app/Chart.yaml': chart('~1.2.0'),
      'common/Chart.yaml': 'apiVersion: v2\nname: common\nversion: 0.1.0\n',
      'common/templates/all.yaml': setting('one'),
    });
    const first = await environment.release();
    expect(actions(first.plan)).toEqual({ web: 'install: not installed' });
    expect(first.end).toEqual({ phase: 'succeeded' });
    expect(await environment.plan()).toMatchObject({ services: [], unchanged: 1 });

    await lab.publishCharts('1.2.9', 8086);
    await environment.forgetIndexes();
    expect((await environment.plan()).untouched).toEqual([
      { name: 'web', state: 'held', note: 'chart moved: its dependency example-api 1.2.0 → 1.2.9' },
    ]);
    await environment.push({ 'common/templates/all.yaml': setting('two') });
    const second = await environment.release();
    expect(actions(second.plan)).toEqual({
      web: 'upgrade: input changed, chart moved: its dependency example-api 1.2.0 → 1.2.9',
    });
    expect(second.end).toEqual({ phase: 'succeeded' });
    expect(await environment.plan()).toMatchObject({ services: [], unchanged: 1 });
  });

  test('is refused before anything is fetched when that lies outside of the commit', async () => {
    const outside = chart('~1.2.0').replace('file://../common', 'file://../../common');
    const environment = await lab.environment('outside', {
      'helmfile.yaml':
        'environments: { outside: {} }\n---\nreleases: [{ name: web, chart: ./app }]\n',
      'app/Chart.yaml': outside,
    });
    await expect(environment.plan()).rejects.toMatchObject({
      message: expect.stringContaining(
        'the dependency common of app leaves the repository',
      ) as string,
    });
  });
});

describe('a registry of charts that asks for a login', () => {
  const login = { username: 'robot', password: 'correct-horse-battery' };

  test('is logged in to by helmfile, and the password is in no argument, log or plan', async () => {
    const name = 'registry';
    const files = repository(name, ['web']);
    const content = await packaged(join(lab.parts.context.folder, 'own-chart'), files);
    const charts = [{ name: 'team/own', version: '0.1.0', content }];
    const registry = await startChartRegistry(lab.kubernetes.caFile, login, charts);
    const tools = await recordTools(lab.parts.context.folder, lab.parts.tools);
    const environment = await lab.environment(
      name,
      {
        'helmfile.yaml.gotmpl': `environments: { ${name}: {} }
---
helmDefaults: { wait: true, timeout: 20, createNamespace: false }
repositories:
  - name: team
    url: ${registry.host}/team
    oci: true
    caFile: ca.pem
    username: {{ requiredEnv "REGISTRY_USER" | quote }}
    password: {{ requiredEnv "REGISTRY_PASSWORD" | quote }}
releases:
  - { name: web, chart: team/own, version: ^0.1.0, values: [{ replicas: 1 }] }
`,
        'ca.pem': await readFile(lab.kubernetes.caFile, 'utf8'),
      },
      // Not named as a secret, so that nothing masks it.
      { variables: { REGISTRY_USER: login.username, REGISTRY_PASSWORD: login.password } },
      tools,
    );
    const { plan, end, log } = await environment.release();
    expect(end).toEqual({ phase: 'succeeded' });
    expect(plan.services).toMatchObject([
      {
        name: 'web',
        chartVersion: '0.1.0',
        chartDigest: expect.stringMatching(/^sha256:/) as string,
      },
    ]);
    expect(await environment.plan()).toMatchObject({ services: [], unchanged: 1 });

    const calls = await tools.calls();
    const logins = calls.filter((call) => call.includes(` registry login ${registry.host} `));
    expect(logins.length).toBeGreaterThan(0);
    for (const call of logins) {
      expect(call).toMatch(/ --ca-file ca\.pem --username robot --password-stdin$/);
    }
    expect(calls.some((call) => call.startsWith('helmfile ') && call.includes(' sync '))).toBe(
      true,
    );
    const told = [calls, log, plan, environment.diffs, environment.health];
    expect(JSON.stringify(told)).not.toContain(login.password);
    await registry.stop();
  });
});

describe('files below `secrets`', () => {
  const name = 'secret';
  const PLUGINS = join(import.meta.dirname, '../fixtures/helm-plugins');
  /** The cipher of the plugin that stands in for helm-secrets. */
  const encrypted = (text: string) =>
    text.replace(/[A-Za-z]/g, (letter) => {
      const first = letter < 'a' ? 65 : 97;
      return String.fromCharCode(((letter.charCodeAt(0) - first + 13) % 26) + first);
    });
  const ofService = (flag: string) => encrypted(`replicas: 1\nflag: ${flag}\n`);
  const variables = { SOPS_AGE_KEY: 'AGE-SECRET-KEY-OF-TESTS' };

  function files() {
    const own = repository(name, ['web']);
    return {
      'helmfile.yaml.gotmpl': `environments:
  ${name}:
    secrets: [shared.yaml]
---
helmDefaults: { wait: true, timeout: 20, createNamespace: false }
releases:
  - name: web
    chart: ./chart
    values: [{ version: {{ .Values.token | quote }} }]
    secrets: [web.yaml]
`,
      'shared.yaml': encrypted('token: token-of-everybody\n'),
      'web.yaml': ofService('hunter-two-hunter'),
      ...Object.fromEntries(Object.entries(own).filter(([path]) => path.startsWith('chart/'))),
    };
  }

  test('are refused with what permits them', async () => {
    const environment = await lab.environment('not-allowed', {
      'helmfile.yaml': `environments: { not-allowed: {} }
---
releases: [{ name: web, chart: ./chart, secrets: [web.yaml] }]
`,
      'chart/Chart.yaml': 'apiVersion: v2\nname: own\nversion: 0.1.0\n',
      'web.yaml': ofService('any'),
    });
    await expect(environment.plan()).rejects.toThrow('permit it with `allow: [secrets]`');
  });

  test('are decrypted by the plugin of the worker’s user, and shown nowhere', async () => {
    vi.stubEnv('HELM_PLUGINS', PLUGINS);
    const environment = await lab.environment(name, files(), { allow: ['secrets'], variables });
    const { plan, end, log } = await environment.release();
    expect(end).toEqual({ phase: 'succeeded' });
    const settings = await environment.kubectl('get', 'configmap', 'web', '--output', 'json');
    expect(settings).toContain('hunter-two-hunter');
    expect(await environment.plan()).toMatchObject({ services: [], unchanged: 1 });

    await environment.push({ 'web.yaml': ofService('other-than-before') });
    const changed = await environment.release();
    expect(actions(changed.plan)).toEqual({ web: 'upgrade: input changed' });
    expect(changed.end).toEqual({ phase: 'succeeded' });
    const told = JSON.stringify([log, plan, changed, environment.diffs, environment.health]);
    expect(told).toContain('flag: (hidden)');
    for (const secret of ['hunter-two-hunter', 'other-than-before', 'token-of-everybody']) {
      expect(told).not.toContain(secret);
    }
  });

  test('without their key say so, and nothing is applied', async () => {
    vi.stubEnv('HELM_PLUGINS', PLUGINS);
    const keyless = { ...files() };
    keyless['helmfile.yaml.gotmpl'] = keyless['helmfile.yaml.gotmpl'].replace(name, 'keyless');
    const environment = await lab.environment('keyless', keyless, { allow: ['secrets'] });
    await expect(environment.plan()).rejects.toThrow('Error while decrypting file');
  });
});

/** What the plan does, and why, by service. */
function actions(plan: PlanResult): Record<string, string> {
  return Object.fromEntries(
    plan.services.map(({ name, action, reason }) => [name, `${action ?? ''}: ${reason ?? ''}`]),
  );
}

/** The repository's own chart, packaged. */
async function packaged(folder: string, files: Readonly<Record<string, string>>): Promise<Buffer> {
  await writeFiles(folder, Object.entries(files));
  const { tools, context } = lab.parts;
  const args = ['package', join(folder, 'chart'), '--destination', folder];
  const { stderr, exitCode } = await run(tools.helm, args, { env: context.env });
  if (exitCode !== 0) throw new Error(stderr);
  return readFile(join(folder, 'own-0.1.0.tgz'));
}
