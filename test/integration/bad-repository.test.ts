import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../src/adapters/process/run.ts';
import type { CauseCode } from '../../src/domain/errors.ts';
import { CAUSES } from '../../src/domain/errors.ts';
import { startLoopbackServer } from '../../src/main/dev/loopback-server.ts';
import { helmfile, twoServices } from '../support/bad-repository.ts';
import {
  explainedFailure,
  ReleaseLab,
  type ReleasedEnvironment,
} from '../support/released-environment.ts';

const CLI = join(import.meta.dirname, '../../src/main/cli.ts');
const NAME = 'bad';

let lab: ReleaseLab;
let environment: ReleasedEnvironment;
/** What Helm tells of the environment while it is well. */
let running: string;

beforeAll(async () => {
  lab = await ReleaseLab.start();
  environment = await lab.environment(NAME, twoServices(NAME));
  expect((await environment.release()).end.phase).toBe('succeeded');
  running = await environment.helm('list', '--output', 'json');
});
afterAll(() => lab.stop());

const CHART = 'apiVersion: v2\nname: api\nversion: 0.1.0\n';

interface Mistake {
  files: Readonly<Record<string, string>>;
  code: CauseCode;
  says: RegExp;
}

const inHelmfile = (more: Parameters<typeof helmfile>[1], code: CauseCode, says: RegExp) => ({
  ...{ files: { 'helmfile.yaml.gotmpl': helmfile(NAME, more) }, code, says },
});
const inValues = (text: string, code: CauseCode, says: RegExp) => ({
  ...{ files: { 'values/api.yaml.gotmpl': text }, code, says },
});
const inChart = (text: string, code: CauseCode, says: RegExp) => ({
  ...{ files: { 'api/templates/more.yaml': text }, code, says },
});
const chartsFrom = (url: string, version?: string) => ({
  top: `repositories: [{ name: charts, url: ${JSON.stringify(url)} }]`,
  api: `chart: charts/example-api${version === undefined ? '' : `\n    version: ${version}`}`,
});

/** Each is told by file, line and value, or by what else finds it, before anything is applied. */
const MISTAKES: Readonly<Record<string, () => Mistake>> = {
  'a function that no helmfile has': () =>
    inHelmfile(
      { defaults: 'timeout: {{ nofunc }}' },
      'template-error',
      /^helmfile\.yaml\.gotmpl:5 cannot be rendered: function "nofunc" not defined\.$/,
    ),
  'a helmfile that is no YAML': () =>
    inHelmfile(
      { defaults: 'timeout: [' },
      'template-error',
      /^helmfile\.yaml\.gotmpl, YAML document 2, is no valid helmfile: did not find/,
    ),
  'a hyphen after a dot': () =>
    inValues(
      'a: 1\nb: {{ .Values.versions.hocs-audit }}\n',
      'template-error',
      /^values\/api\.yaml\.gotmpl:2 cannot be rendered: .*index \.Values\.versions "hocs-audit"/,
    ),
  'values that are no YAML': () =>
    inValues(
      'a: 1\n  b: : 2\n',
      'template-error',
      /^A values file of helmfile\.yaml\.gotmpl is no valid YAML: line 2: mapping values/,
    ),
  'a chart that renders no YAML': () =>
    inChart(
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n data: 1\n',
      'template-error',
      /^api\/templates\/more\.yaml does not render to YAML: line 3: /,
    ),
  'a chart template that ends too early': () =>
    inChart(
      'a: b\n{{ if .Values.version }}\nc: d\n',
      'template-error',
      /^api\/templates\/more\.yaml:4 cannot be rendered: an `\{\{ end \}\}` is missing: unexpected EOF\.$/,
    ),
  'a template that no chart has': () =>
    inChart(
      'a: {{ include "nope.labels" . }}\n',
      'template-error',
      /^api\/templates\/more\.yaml:1:6 cannot be rendered at `include "nope\.labels" \.`: no template "nope/,
    ),
  'a list where a resource belongs': () =>
    inChart(
      '- a\n',
      'template-error',
      /^api\/templates\/more\.yaml does not render to a resource of Kubernetes: cannot unmarshal array/,
    ),
  'values of a chart that are no YAML': () => ({
    files: { 'api/values.yaml': 'a: [\n' },
    code: 'template-error',
    says: /^The values\.yaml of the chart of api is no valid YAML: line 1: /,
  }),
  'a chart for an older cluster': () => ({
    files: { 'api/Chart.yaml': `${CHART}kubeVersion: "<1.20"\n` },
    code: 'template-error',
    says: /^The chart of api cannot be used: chart requires kubeVersion: <1\.20 which is incompatible/,
  }),
  'a chart that needs one that is not there': () => ({
    files: {
      'api/Chart.yaml': `${CHART}dependencies: [{ name: lib, version: 1.0.0, repository: "" }]\n`,
    },
    code: 'chart-unresolved',
    says: /^The chart api needs lib, which is not in its charts folder: commit it there/,
  }),
  'values that a schema does not take': () => ({
    files: {
      'api/values.schema.json': '{"required":["tag"],"properties":{"version":{"type":"integer"}}}',
    },
    code: 'template-error',
    says: /^The values do not fit the schema of the chart: at '': missing property 'tag'; at '\/version': got string, want integer\.$/,
  }),
  'a value that is read and not there': () =>
    inValues(
      'a: 1\nversion: {{ .Values.versions.hocs }}\n',
      'values-missing',
      /^\.Values\.versions\.hocs has no value: values\/api\.yaml\.gotmpl:2 finds no "hocs"\.$/,
    ),
  'a value that a chart reads below nothing': () =>
    inChart(
      'a: b\nc: {{ .Values.image.tag }}\n',
      'values-missing',
      /^\.Values\.image\.tag has no value: it is read at api\/templates\/more\.yaml:2:13/,
    ),
  'a value that an included template reads below nothing': () => ({
    files: {
      'api/templates/_helpers.tpl': '{{ define "api.tag" }}\n{{ .Values.image.tag }}\n{{ end }}\n',
      'api/templates/more.yaml': 'a: {{ include "api.tag" . }}\n',
    },
    code: 'values-missing',
    says: /^\.Values\.image\.tag has no value: it is read at api\/templates\/_helpers\.tpl:2:10, which api\/templates\/more\.yaml:1:6 includes/,
  }),
  'a value that a chart requires': () =>
    inChart(
      'a: b\nc: {{ required "api needs a tag" .Values.tag }}\n',
      'values-missing',
      /^api needs a tag \(required at api\/templates\/more\.yaml:2:6\)\.$/,
    ),
  'a variable that nobody set': () =>
    inValues(
      'a: {{ requiredEnv "DB_HOST" }}\n',
      'values-missing',
      /^The variable DB_HOST, which values\/api\.yaml\.gotmpl:1 requires, is not set\.$/,
    ),
  'a chart that is not in its repository': () =>
    inHelmfile(
      { ...chartsFrom(lab.charts.url), api: 'chart: charts/nope' },
      'chart-unresolved',
      /^There is no chart charts\/nope for api in its chart repository\.$/,
    ),
  'a version that no chart has': () =>
    inHelmfile(
      chartsFrom(lab.charts.url, '^99.0.0'),
      'chart-unresolved',
      /^No version of the chart charts\/example-api for api matches "\^99\.0\.0"\.$/,
    ),
  'a chart repository that is down': () =>
    inHelmfile(
      chartsFrom('http://127.0.0.1:1'),
      'chart-repository-unreachable',
      /^The chart repository http:\/\/127\.0\.0\.1:1 does not answer as one: .*connection refused\.$/,
    ),
  '`needs` that go in a circle': () =>
    inHelmfile(
      { api: 'chart: ./api\n    needs: [web]', web: 'chart: ./web\n    needs: [api]' },
      'template-error',
      /^The `needs` of helmfile\.yaml\.gotmpl go in a circle: api → web → api\.$/,
    ),
  '`needs` that nobody is': () =>
    inHelmfile(
      { api: 'chart: ./api\n    needs: [nobody]' },
      'template-error',
      /^api needs nobody, which helmfile\.yaml\.gotmpl does not declare/,
    ),
  'two services of one name': () => ({
    files: { 'helmfile.yaml.gotmpl': helmfile(NAME).replace('name: web', 'name: api') },
    code: 'template-error',
    says: /^helmfile\.yaml\.gotmpl declares two services named "api" for namespace bad: rename one\.$/,
  }),
  'a message of 5 MB in one line': () =>
    inChart(
      '{{ fail (repeat 5000000 "x") }}\n',
      'values-missing',
      /^x{100,2000} \(required at api\/templates\/more\.yaml:1:3\)\.$/,
    ),
  'a message that is no text': () =>
    inChart(
      '{{ fail ("Zm9vAP+A3rYbWzMxbXJlZA==" | b64dec) }}\n',
      'values-missing',
      /^foo\P{Cc}+red \(required at api\/templates\/more\.yaml:1:3\)\.$/u,
    ),
};

test.each(Object.keys(MISTAKES))('%s is named, and nothing changes', async (name) => {
  const { files, code, says } = MISTAKES[name]?.() ?? { files: {}, code: 'unknown', says: /^$/ };
  await refused(files, code, says);
});

test.each([
  [401, 'chart-auth', /^The chart repository refuses access: .* : 401 Unauthorized\.$/],
  [403, 'chart-auth', /^The chart repository refuses access: .* : 403 Forbidden\.$/],
  [
    500,
    'chart-repository-unreachable',
    /does not answer as one: .* : 500 Internal Server Error\.$/,
  ],
] as const)(
  'a chart repository that answers %s is named, and nothing changes',
  async (status, code, says) => {
    const server = await startLoopbackServer((_request, response) => {
      response.writeHead(status).end('no');
    });
    try {
      await refused({ 'helmfile.yaml.gotmpl': helmfile(NAME, chartsFrom(server.url)) }, code, says);
    } finally {
      await server.stop();
    }
  },
);

test('a package of a chart that its repository only names is named, and nothing changes', async () => {
  const server = await startLoopbackServer(({ url, headers }, response) => {
    const address = `http://${headers.host ?? ''}/example-api-1.0.0.tgz`;
    const entry = `{ name: example-api, version: 1.0.0, urls: ["${address}"] }`;
    const index = `apiVersion: v1\nentries:\n  example-api:\n  - ${entry}\n`;
    if (url === '/index.yaml') response.end(index);
    else response.writeHead(404).end('no');
  });
  try {
    await refused(
      { 'helmfile.yaml.gotmpl': helmfile(NAME, chartsFrom(server.url, '1.0.0')) },
      'chart-unresolved',
      /^The chart repository names http:\S+\/example-api-1\.0\.0\.tgz, and does not have it\.$/,
    );
  } finally {
    await server.stop();
  }
});

test('what the mistakes kept from being released is released when they are mended', async () => {
  await environment.push(
    twoServices(NAME, { 'versions.yaml': 'versions: { api: "2", web: "1" }\n' }),
  );
  const { plan, end } = await environment.release();
  expect(plan.services.map(({ name }) => name)).toEqual(['api']);
  expect(end.phase).toBe('succeeded');
});

test('a person at a terminal reads what is wrong, where, and what to do', async () => {
  await environment.push(
    twoServices(NAME, { 'values/api.yaml.gotmpl': 'a: {{ .Values.nope }}\n' }),
  );
  expect(await planAtTerminal()).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: expect.stringMatching(
      /^slipway: \.Values\.nope has no value: values\/api\.yaml\.gotmpl:1 finds no "nope"\.\n {2}evaluating .*\nSet the value that is named, and merge\.\n$/,
    ) as string,
  });
  await environment.push(twoServices(NAME));
  const { exitCode, stdout, stderr } = await planAtTerminal();
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toMatch(/^\d+ to change, \d+ unchanged$/m);
});

test.each([
  ['5 MB in one line', '{{ repeat 5000000 "x" }}\n'],
  ['bytes that are no text', '{{ "Zm9vAP+A3rYbWzMxbXJlZA==" | b64dec }}\n'],
])('%s among the output of an apply keep nothing from its end', async (_what, notes) => {
  await environment.push({ 'api/templates/NOTES.txt': notes });
  const { end, log } = await environment.release({ manual: true, force: true });
  expect(end.phase).toBe('succeeded');
  expect(Math.max(...log.map(({ length }) => length))).toBeLessThanOrEqual(64 * 1024);
});

/** `slipway plan` as a person runs it beside the configuration. */
async function planAtTerminal() {
  const where = ['--repository', NAME, '--environment', NAME];
  const args = [CLI, 'plan', '--config', environment.configFile, ...where];
  const { PATH = '', HOME = '', SLIPWAY_TOOLS_DIR } = process.env;
  const env = { PATH, HOME, ...(SLIPWAY_TOOLS_DIR && { SLIPWAY_TOOLS_DIR }) };
  const { exitCode, stdout, stderr } = await run(process.execPath, args, { env });
  return { exitCode, stdout, stderr };
}

async function refused(files: Mistake['files'], code: CauseCode, says: RegExp): Promise<void> {
  await environment.push(twoServices(NAME, files));
  await environment.forgetIndexes();
  const cause = await environment.plan().then(() => undefined, explainedFailure);
  expect(cause).toMatchObject({ code, sentence: expect.stringMatching(says) as string });
  const transient = code === 'chart-repository-unreachable';
  expect(CAUSES[code].kind).toBe(transient ? 'transient' : 'configuration');
  expect(await environment.helm('list', '--output', 'json')).toBe(running);
  expect(await readdir(join(environment.folder, 'attempts'))).toEqual([]);
}
