import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cutBuild } from '../../../src/adapters/helmfile/build-output.ts';
import { InputFiles } from '../../../src/adapters/helmfile/input-files.ts';
import {
  readServiceInputs,
  type ServiceInput,
} from '../../../src/adapters/helmfile/service-inputs.ts';

const C_TOO = 'a: { b: 1, c: 2 }';

let tree: string;
beforeAll(async () => {
  tree = await mkdtemp(join(tmpdir(), 'slipway-inputs-'));
});
afterAll(() => rm(tree, { recursive: true }));

describe('the output of helmfile build', () => {
  test('is cut into helmfiles, with the paths of what they refer to', () => {
    const documents = cutBuild(
      helmfile('nested/helmfile.yaml', '  - chart: ../chart\n    name: job\n') +
        helmfile('helmfile.yaml.gotmpl', '  - name: api\n    chart: charts/api\n'),
    );
    expect(documents.map(({ source }) => source)).toEqual([
      'nested/helmfile.yaml',
      'helmfile.yaml.gotmpl',
    ]);
    expect(documents[0]?.releases.get('job')).toBe('  - chart: ../chart\n    name: job\n');
  });

  test('may hold text that looks like the layout itself', () => {
    const values =
      '    values:\n      - text: |\n          ---\n          releases:\n            - name: no\n';
    const [document] = cutBuild(helmfile('helmfile.yaml', `  - name: api\n${values}`));
    expect([...(document?.releases.keys() ?? [])]).toEqual(['api']);
    expect(document?.releases.get('api')).toContain('- name: no');
  });

  test('of another layout is refused, not guessed at', () => {
    expect(() => cutBuild('releases: []\n')).toThrow('in a form that is not known');
    expect(() => cutBuild(helmfile('a.yaml', '  - chart: x\n'))).toThrow('in a form');
  });

  test('with two services of one name is refused', async () => {
    const twice = '  - name: api\n    chart: ./chart\n';
    expect(() => cutBuild(helmfile('a.yaml', twice + twice))).toThrow('Two services are named');
    const two = helmfile('a.yaml', twice) + helmfile('b.yaml', twice);
    await expect(inputs(two, {})).rejects.toThrow('Two services are named "api"');
  });
});

describe('the input of a service', () => {
  test('holds the bytes of its values, set files and patches, by their path in the tree', async () => {
    const files = {
      'sub/values/api.yaml': 'flag: no\n',
      'sub/certificate.pem': 'pem',
      'sub/patches/api.yaml': 'kind: Deployment\n',
      'sub/secrets.yaml': 'key: ENC[x]\n',
    };
    const release = `  - name: api
    chart: charts/api
    values:
      - values/api.yaml
      - inline: values/api.yaml
    secrets:
      - secrets.yaml
    set:
      - name: tls
        file: certificate.pem
    strategicMergePatches:
      - patches/api.yaml
`;
    const [input] = await inputs(helmfile('sub/helmfile.yaml', release), files);
    expect([...new Set(input?.files.map(({ path }) => path))].sort()).toEqual([
      'sub/certificate.pem',
      'sub/patches/api.yaml',
      'sub/secrets.yaml',
      'sub/values/api.yaml',
    ]);
    expect(input).toMatchObject({ folder: 'sub', removed: false });
    expect(input?.notUnderstood).toBeUndefined();
  });

  test('tells `no` from "no" in a values file, which helmfile reads alike', async () => {
    const build = helmfile(
      'helmfile.yaml',
      '  - name: api\n    chart: x/y\n    values: [v.yaml]\n',
    );
    const [plain] = await inputs(build, { 'v.yaml': 'flag: no\n' });
    const [quoted] = await inputs(build, { 'v.yaml': 'flag: "no"\n' });
    expect(plain?.evaluated).toBe(quoted?.evaluated);
    expect(plain?.files).not.toEqual(quoted?.files);
  });

  test('notes a file that may be missing, and sees when it comes', async () => {
    const build = helmfile('a.yaml', '  - name: api\n    chart: x/y\n    values: [may.yaml]\n');
    const [without] = await inputs(build, {});
    expect(without?.files).toEqual([{ path: 'may.yaml', sha256: 'missing' }]);
  });

  test('follows a pattern to its files', async () => {
    const files = { 'all/a.yaml': 'a: 1\n', 'all/b.yaml': 'b: 1\n' };
    const build = helmfile('a.yaml', '  - name: api\n    chart: x/y\n    values: ["all/*.yaml"]\n');
    const [input] = await inputs(build, files);
    expect(input?.files.map(({ path }) => path)).toEqual(['all/a.yaml', 'all/b.yaml']);
  });

  test('is not touched by what only another service or environment uses', async () => {
    const one = '  - name: api\n    chart: x/y\n';
    const alone = await inputs(helmfile('a.yaml', one), {});
    const beside = await inputs(
      helmfile('a.yaml', `${one}  - name: web\n    chart: x/z\n`, 'renderedvalues:\n  web: 2\n'),
      {},
    );
    expect(beside[0]).toEqual(alone[0]);
  });

  test('changes with what its helmfile says for all', async () => {
    const one = '  - name: api\n    chart: x/y\n';
    const [before] = await inputs(helmfile('a.yaml', one, 'helmDefaults:\n  timeout: 1\n'), {});
    const [after] = await inputs(helmfile('a.yaml', one, 'helmDefaults:\n  timeout: 2\n'), {});
    expect(after?.evaluated).not.toBe(before?.evaluated);
  });

  test.each([
    ['a value that it names', '{{ .Values.a.b }}', 'a: { b: 2 }', true],
    ['a value that it looks up', '{{ index .Values.a "b" | quote }}', 'a: { b: 2 }', true],
    ['a value by a key with a space', '{{ index .Values.a " b" }}', 'a: { b: 1, " b": 2 }', true],
    ['what a condition reads', '{{ if .Values.a.b }}x: no{{ end }}', 'a: { b: 2 }', true],
    ['what it gets as a whole', '{{ .Values | toYaml }}', C_TOO, true],
    ['what another template makes of it', '{{ tpl .Values.text . }}', C_TOO, true],
    ['all of it, before a block', '{{ . | toYaml }}{{ with .Values.x }}{{ end }}', C_TOO, true],
    ['all of it, after a block', '{{ range .Values.x }}{{ end }}{{ . | toYaml }}', C_TOO, true],
    ['all of it, in an else', '{{ with .Values.x }}{{ else }}{{ toYaml . }}{{ end }}', C_TOO, true],
    ['all of it, in a condition', '{{ if .Values.x }}{{ toYaml . }}{{ end }}', C_TOO, true],
    ['all of it, after a definition', '{{ define "x" }}{{ end }}{{ toYaml . }}', C_TOO, true],
    ['all of it, without a space', '{{.|toYaml}}', C_TOO, true],
    ['all of it, by a variable', '{{ $all:=. }}{{ $all.Values.a.c }}', C_TOO, true],
    [
      'all of it, by the environment',
      '{{ with .Environment }}{{ . | toYaml }}{{ end }}',
      C_TOO,
      true,
    ],
    ['defaults of the environment', '{{ .Environment.Defaults.a.c }}', C_TOO, true],
    ['what a text hides', '{{ printf "}} %v" .Values.a.c }}', C_TOO, true],
    ['what it walks through', '{{ range .Values.a }}{{ . }}{{ end }}', C_TOO, true],
    ['a neighbour of what it names', '{{ .Values.a.b }}', C_TOO, false],
    ['a neighbour of what it walks through', '{{ range .Values.x }}{{ . }}{{ end }}', C_TOO, false],
    [
      'a neighbour of what it turns to',
      '{{ with .Values.x }}{{ .y }}{{ . }}{{ end }}',
      C_TOO,
      false,
    ],
    [
      'a neighbour, where it names itself',
      '{{ .Release.Name }}{{ .Environment.Name }}',
      C_TOO,
      false,
    ],
    ['a value that a comment names', '{{/* .Values.a */}}', 'a: { b: 2 }', false],
  ])('with a template changes with %s: %s', async (_title, template, values, isChanged) => {
    const of = async (environment: string) => {
      const release = '  - name: api\n    chart: x/y\n    values: [v.yaml.gotmpl]\n';
      const build = helmfile('a.yaml', release, `renderedvalues:\n  ${environment}\n`);
      return (await inputs(build, { 'v.yaml.gotmpl': template }))[0]?.evaluated;
    };
    expect((await of(values)) !== (await of('a: { b: 1 }'))).toBe(isChanged);
  });

  test.each([
    ['that it names', '{{ env "A" }}', true],
    ['of a made-up name', '{{ env (printf "%s" .Values.name) }}', true],
    ['that it does not name', '{{ requiredEnv "B" }}', false],
  ])('with a template changes with a variable %s', async (_title, template, isChanged) => {
    const build = helmfile(
      'a.yaml',
      '  - name: api\n    chart: x/y\n    values: [v.yaml.gotmpl]\n',
    );
    const of = async (variables: Record<string, string>) =>
      (await inputs(build, { 'v.yaml.gotmpl': template }, variables))[0]?.evaluated;
    expect((await of({ A: 'no', B: '1' })) !== (await of({ A: '"no"', B: '1' }))).toBe(isChanged);
  });

  test('with a template that includes others holds the bytes of those', async () => {
    const release = '  - name: api\n    chart: x/y\n    values: [values/v.yaml.gotmpl]\n';
    const of = async (helper: string) => {
      const files = {
        'sub/values/v.yaml.gotmpl': '{{ include "flag" . }}',
        'sub/values/_flag.tpl': helper,
      };
      return (await inputs(helmfile('sub/helmfile.yaml', release), files))[0]?.files;
    };
    const [plain, quoted] = [await of('{{ define "flag" }}no{{ end }}'), await of('"no"')];
    expect(plain?.map(({ path }) => path)).toEqual([
      'sub/values/v.yaml.gotmpl',
      'sub/values/_flag.tpl',
    ]);
    expect(plain).not.toEqual(quoted);
  });

  test.each([
    ['reads a file', '{{ readFile "x.yaml" }}', 'readFile'],
    ['asks for a file', '{{ if isFile "x.yaml" }}a: no{{ end }}', 'isFile'],
    ['evaluates a text', '{{ tpl .Values.text . }}', 'tpl'],
    ['uses a function that nobody knows', '{{ somethingNew 1 }}', 'somethingNew'],
    ['hides where an action ends', '{{ printf "}}" (readFile "x.yaml") }}', 'actions'],
  ])('is not understood with a template that %s', async (_title, template, why) => {
    const release = '  - name: api\n    chart: x/y\n    values: [v.yaml.gotmpl]\n';
    const [input] = await inputs(helmfile('a.yaml', release), { 'v.yaml.gotmpl': template });
    expect(input?.notUnderstood).toContain(why);
  });

  test.each([
    ['an inline reference', '    values:\n      - password: ref+vault://secret/x\n', 'ref+vault'],
    ['a reference in set', '    set:\n      - name: a\n        value: ref+k8s://x\n', 'ref+k8s'],
    ['hooks', '    hooks:\n      - events: [presync]\n', 'hooks'],
    ['charts added to its chart', '    dependencies:\n      - chart: ./x\n', 'dependencies'],
    ['values outside the repository', '    values: [../../etc/x.yaml]\n', 'outside'],
  ])('is not understood with %s', async (_title, fields, why) => {
    const [input] = await inputs(
      helmfile('a.yaml', `  - name: api\n    chart: x/y\n${fields}`),
      {},
    );
    expect(input?.notUnderstood).toContain(why);
  });
});

function helmfile(source: string, releases: string, more = ''): string {
  return `---\n#  Source: /${source}\n\nfilepath: ${source}\n${more}releases:\n${releases}templates: {}\n`;
}

async function inputs(
  build: string,
  files: Readonly<Record<string, string>>,
  variables: Readonly<Record<string, string>> = {},
): Promise<ServiceInput[]> {
  await rm(tree, { recursive: true });
  await mkdir(tree);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), text);
  }
  const documents = cutBuild(build);
  return readServiceInputs(documents, documents, new InputFiles(tree), variables);
}
