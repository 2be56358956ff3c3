import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Evaluations } from '../../../src/adapters/helmfile/evaluations.ts';
import { Helmfile } from '../../../src/adapters/helmfile/helmfile.ts';
import { withWorkspace } from '../../../src/adapters/helmfile/workspace.ts';
import { ensureTools } from '../../../src/adapters/tools/ensure-tools.ts';
import { createGrowingRedactor } from '../../../src/domain/redact/growing.ts';
import { startLoopbackServer } from '../../../src/main/dev/loopback-server.ts';
import { helmfile, twoServices } from '../../support/bad-repository.ts';
import { explainedFailure } from '../../support/released-environment.ts';

let folder: string;
let tools: { helm: string; helmfile: string };
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-faults-'));
  tools = await ensureTools(['helm', 'helmfile']);
});
afterAll(() => rm(folder, { recursive: true }));

const inHelmfile = (more: Parameters<typeof helmfile>[1]) => ({
  'helmfile.yaml.gotmpl': helmfile('bad', more),
});
const including = (path: string) => ({
  'helmfile.yaml.gotmpl': `${helmfile('bad')}helmfiles: [${path}]\n`,
});
const withValues = (file: string, text: string) => ({
  'helmfile.yaml.gotmpl': helmfile('bad').replace('versions.yaml', `versions.yaml, ${file}`),
  [file]: text,
});
const inValues = (text: string) => ({ 'values/api.yaml.gotmpl': text });

/** What people write, what a real helmfile makes of it, and what people read. */
const FAULTS: Readonly<Record<string, [Record<string, string>, string, string | RegExp]>> = {
  'a bracket that nobody closes, among the versions': [
    { 'versions.yaml': 'versions: { api: "1"\n' },
    'template-error',
    `versions.yaml is no valid YAML: line 1: did not find expected ',' or '}'.`,
  ],
  'a conflict that nobody resolved': [
    { 'versions.yaml': 'versions:\n<<<<<<< HEAD\n  api: "1"\n=======\n  api: "2"\n>>>>>>> b\n' },
    'template-error',
    /^versions\.yaml is no valid YAML: line 2: /,
  ],
  'a version that stands there twice': [
    { 'versions.yaml': 'versions:\n  api: "1"\n  api: "2"\n  web: "1"\n' },
    'template-error',
    'versions.yaml is no valid YAML: line 3: mapping key "api" already defined at line 2.',
  ],
  'a list for values': [
    { 'versions.yaml': '- api\n' },
    'template-error',
    'versions.yaml is no valid YAML: line 1: a list stands where it does not belong.',
  ],
  'no versions at all': [
    { 'versions.yaml': '' },
    'values-missing',
    '.Values.versions.api has no value: values/api.yaml.gotmpl:1 finds no "versions".',
  ],
  'values of the environment that are not there': [
    { 'helmfile.yaml.gotmpl': helmfile('bad').replace('versions.yaml', 'nope.yaml') },
    'values-missing',
    'The values file "nope.yaml" does not exist.',
  ],
  'a template among the values of the environment': [
    withValues('more/env.yaml.gotmpl', 'a: 1\nb: {{ if }}\n'),
    'template-error',
    'more/env.yaml.gotmpl:2 cannot be rendered: missing value for if.',
  ],
  'what such a template reads': [
    withValues('more/env.yaml.gotmpl', 'a: 1\nb: {{ .Values.nope.x }}\n'),
    'values-missing',
    '.Values.nope.x has no value: more/env.yaml.gotmpl:2 finds no "nope".',
  ],
  'an action that nobody closes': [
    inValues('a: 1\nb: {{ .Values.versions.api \n'),
    'template-error',
    'values/api.yaml.gotmpl:3 cannot be rendered: unclosed action started at line 2.',
  ],
  'a quote that nobody closes': [
    inValues('a: 1\nb: {{ "x }}\n'),
    'template-error',
    'values/api.yaml.gotmpl:2 cannot be rendered: unterminated quoted string.',
  ],
  'a value below nothing': [
    inValues('a: 1\nb: {{ index .Values "b" "c" }}\n'),
    'values-missing',
    'index .Values "b" "c" has no value: it is read at values/api.yaml.gotmpl:2 (index of nil pointer).',
  ],
  'a template that refuses': [
    inValues('a: 1\nb: {{ fail "no such place" }}\n'),
    'template-error',
    'values/api.yaml.gotmpl:2 cannot be rendered at `fail "no such place"`: no such place.',
  ],
  'bytes that YAML does not take': [
    inValues('a: "\u0001"\n'),
    'template-error',
    'A values file of helmfile.yaml.gotmpl is no valid YAML: control characters are not allowed.',
  ],
  'a values file that no template makes': [
    {
      'helmfile.yaml.gotmpl': helmfile('bad').replace(
        '[values/api',
        '[more/fine.yaml, more/wrong.yaml, values/api',
      ),
      'more/fine.yaml': 'a: 1\n',
      'more/wrong.yaml': 'a: 1\nb: {\n',
    },
    'template-error',
    /^more\/wrong\.yaml is no valid YAML: .* at line 3, column 1\.$/,
  ],
  'a base that is not there': [
    { 'helmfile.yaml.gotmpl': `bases: [base.yaml]\n---\n${helmfile('bad')}` },
    'template-error',
    'helmfile.yaml.gotmpl includes base.yaml, which does not exist.',
  ],
  'a helmfile that is not there': [
    including('sub/helmfile.yaml'),
    'template-error',
    'helmfile.yaml.gotmpl includes sub/helmfile.yaml, which does not exist.',
  ],
  'an included helmfile': [
    {
      ...including('sub/helmfile.yaml.gotmpl'),
      'sub/helmfile.yaml.gotmpl':
        'environments: { bad: {} }\n---\nreleases:\n  - name: x\n    chart: {{ nofunc }}\n',
    },
    'template-error',
    'sub/helmfile.yaml.gotmpl:5 cannot be rendered: function "nofunc" not defined.',
  ],
  'a values file of a helmfile that is included by an included one': [
    {
      ...including('sub/helmfile.yaml'),
      'sub/helmfile.yaml': 'environments: { bad: {} }\n---\nhelmfiles: [deep/helmfile.yaml]\n',
      'sub/deep/helmfile.yaml':
        'environments: { bad: {} }\n---\nreleases: [{ name: x, chart: ./x, values: [v.yaml.gotmpl] }]\n',
      'sub/deep/v.yaml.gotmpl': 'a: {{ .Values.b }}\n',
    },
    'values-missing',
    '.Values.b has no value: sub/deep/v.yaml.gotmpl:1 finds no "b".',
  ],
  'a key that no helmfile has': [
    inHelmfile({ api: 'chart: ./api\n    verison: 1' }),
    'template-error',
    'helmfile.yaml.gotmpl, YAML document 2, is no valid helmfile: line 6: unknown key "verison".',
  ],
  'a service without a chart': [
    inHelmfile({ api: 'installed: true' }),
    'template-error',
    'api in helmfile.yaml.gotmpl has no `chart`.',
  ],
  'a service without a name': [
    { 'helmfile.yaml.gotmpl': helmfile('bad').replace('name: api', 'namespace: bad') },
    'repository-refused',
    'helmfile.yaml.gotmpl: releases[0] has no name; nothing permits this.',
  ],
  'a condition over nothing': [
    inHelmfile({ api: 'chart: ./api\n    condition: nope.enabled' }),
    'values-missing',
    'The condition of api reads nope, which the environment has no value for.',
  ],
  'an environment that the helmfile does not know': [
    { 'helmfile.yaml.gotmpl': helmfile('other') },
    'template-error',
    'The helmfile declares no environment "bad".',
  ],
  'a Chart.yaml that is no YAML': [
    { 'api/Chart.yaml': 'apiVersion: v2\nname: [\n' },
    'template-error',
    /^api\/Chart\.yaml is no valid YAML: .* at line 3, column 1\.$/,
  ],
};

test.each(Object.keys(FAULTS))(
  '%s is told by file and line, or what else finds it',
  async (name) => {
    const [files, code, sentence] = FAULTS[name] ?? [{}, '', ''];
    await tells(files, code, sentence);
  },
);

/** A registry of charts that gives one answer to all. */
test.each([
  ['1.0.0', 401, 'chart-auth', /^The chart repository refuses access: .*credential not found\.$/],
  ['^1.0.0', 401, 'chart-auth', /^The chart repository refuses access: .*credential not found\.$/],
  ['^1.0.0', 403, 'chart-auth', /^The chart repository refuses access: .* 403: Forbidden\.$/],
  ['1.0.0', 404, 'chart-unresolved', /^There is no chart 127\.0\.0\.1:\d+\/thing:1\.0\.0\.$/],
  ['^1.0.0', 404, 'chart-unresolved', /^There is no chart 127\.0\.0\.1:\d+\/thing\.$/],
  ['^1.0.0', 200, 'chart-repository-unreachable', /thing\/tags\/list does not answer as one: /],
] as const)(
  'a registry asked for %s that answers %i is told',
  async (range, status, code, says) => {
    const registry = await startLoopbackServer((_request, response) => {
      const headers = status === 401 ? { 'www-authenticate': 'Basic realm="charts"' } : {};
      response.writeHead(status, headers).end('no');
    });
    try {
      await tells(fromRegistry(registry.url, range), code, says);
    } finally {
      await registry.stop();
    }
  },
);

test.each(['1.0.0', '^1.0.0'])('a registry asked for %s that is away is told', async (range) => {
  const away =
    /^The chart repository http:\/\/127\.0\.0\.1:1\/\S+ does not answer as one: .*connection refused/;
  await tells(fromRegistry('http://127.0.0.1:1', range), 'chart-repository-unreachable', away);
});

function fromRegistry(url: string, range: string) {
  const repository = `{ name: charts, url: "${new URL(url).host}", oci: true, plainHttp: true }`;
  const api = `chart: charts/thing\n    version: "${range}"`;
  return inHelmfile({ top: `repositories: [${repository}]`, api });
}

async function tells(files: Record<string, string>, code: string, sentence: string | RegExp) {
  const cause = await readAll(twoServices('bad', files)).then(() => undefined, explainedFailure);
  const says: unknown = typeof sentence === 'string' ? sentence : expect.stringMatching(sentence);
  expect(cause).toMatchObject({ code, sentence: says });
}

/** Reads what a repository declares, with a real helmfile and without a cluster. */
function readAll(files: Readonly<Record<string, string>>): Promise<unknown> {
  const place = { dataDir: folder, cluster: 'c', namespace: 'bad', name: 'bad', tools };
  return withWorkspace(place, async (workspace) => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(join(workspace.tree, dirname(path)), { recursive: true });
      await writeFile(join(workspace.tree, path), text);
    }
    const scope = { environment: 'bad', namespace: 'bad', kubeContext: 'k', attempt: 'd/1' };
    const others = { variables: {}, redactor: createGrowingRedactor([]) };
    const evaluations = new Evaluations();
    return new Helmfile({ workspace, ...scope, ...others, evaluations }).declared();
  });
}
