import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { checkState } from '../../../src/domain/gate/check-state.ts';
import { formatRefusal } from '../../../src/domain/gate/refusal.ts';

interface Repository {
  /** What helmfile evaluates the helmfile to. */
  state: string;
  source?: string;
  files?: Readonly<Record<string, string>>;
  /** Where Helm fetches what the chart `charts/api` depends on. */
  fetchedFrom?: readonly string[];
}

/** What the gate says of a repository, one sentence for each thing refused. */
function refused(repository: Repository | readonly Repository[], allow: readonly string[] = []) {
  const all: readonly Repository[] = 'state' in repository ? [repository] : repository;
  const documents = all.map(({ state, source = 'helmfile.yaml' }) => ({
    source,
    state: parse(state) as unknown,
  }));
  const files = new Map(all.flatMap(({ files: some = {} }) => Object.entries(some)));
  const fetched = (folder: string) =>
    all
      .flatMap(({ fetchedFrom = [] }) => (folder === 'charts/api' ? fetchedFrom : []))
      .map((repository) => ({ name: 'common', version: '1', repository }));
  const read = (path: string) => files.get(path);
  const tree = { root: '/attempt/tree', read, expand, fetched };
  const options = {
    ...{ environment: 'cs-dev', namespace: 'cs-dev', kubeContext: 'slipway', allow },
    binaries: ['/bin/helm', 'kustomize'],
  };
  return checkState(documents, tree, options).map(formatRefusal);
}

const expand = (path: string) => [path];
const release = (more: string) => `releases: [{ name: api, chart: charts/api, ${more} }]`;
const SERVICE = 'helmfile.yaml, service api:';
const NOTHING = 'nothing permits this.';
const permit = (entry: string) => `permit it with \`allow: [${entry}]\` on the environment.`;

type Hostile = readonly [string, string, Repository, string, string?];

/** The hostile repositories that reach the gate: number, what it is, the state, the refusal, its `allow`. */
const HOSTILE: readonly Hostile[] = [
  [
    '09',
    'a reference resolved by a template, which leaves no trace in the state',
    { state: '{}', files: { 'helmfile.yaml': '{{ fetchSecretValue "ref+exec://true" }}' } },
    `helmfile.yaml: its text refers to ref+exec://; ${NOTHING}`,
  ],
  [
    '10',
    'ref+exec in a values file',
    { state: release('values: [v/a.yaml]'), files: { 'v/a.yaml': 'k: ref+exec://sh' } },
    `${SERVICE} releases[0].values[0] (v/a.yaml) refers to ref+exec://; ${NOTHING}`,
  ],
  [
    '11',
    'ref+exec in set',
    { state: release('set: [{ name: k, value: "ref+exec://sh" }]') },
    `${SERVICE} releases[0].set[0].value refers to ref+exec://; ${NOTHING}`,
  ],
  [
    '12',
    'ref+exec in environment values',
    { state: 'renderedvalues: { k: "ref+exec://sh" }' },
    `helmfile.yaml: renderedvalues.k refers to ref+exec://; ${NOTHING}`,
  ],
  [
    '13',
    'secretref+exec in the midst of a value',
    { state: release('values: [{ url: "https://u:secretref+exec://sh+@h" }]') },
    `${SERVICE} releases[0].values[0].url refers to ref+exec://; ${NOTHING}`,
  ],
  ...(['file', 'httpjson', 'envsubst', 'tfstate'] as const).map(
    (provider, index) =>
      [
        ['14', '15', '17', '-'][index] ?? '',
        `ref+${provider}`,
        { state: release(`values: [{ k: "ref+${provider}://x" }]`) },
        `${SERVICE} releases[0].values[0].k refers to ref+${provider}://; ${NOTHING}`,
      ] as const,
  ),
  ...(['k8s', 'vault'] as const).map(
    (provider, index) =>
      [
        ['16', '18'][index] ?? '',
        `ref+${provider}`,
        { state: release(`values: [{ k: "ref+${provider}://x?address=evil" }]`) },
        `${SERVICE} releases[0].values[0].k refers to ref+${provider}://; ${permit(`ref+${provider}`)}`,
        `ref+${provider}`,
      ] as const,
  ),
  [
    '19, 21',
    'hooks of a release, its own or inherited',
    { state: release('hooks: [{ events: [presync], command: sh }]') },
    `${SERVICE} releases[0].hooks runs commands; ${permit('hooks')}`,
    'hooks',
  ],
  [
    '20, 22',
    'hooks of the helmfile, its own or from bases',
    { state: 'hooks: [{ events: [prepare], command: sh }]' },
    `helmfile.yaml: hooks runs commands; ${permit('hooks')}`,
    'hooks',
  ],
  [
    '23',
    'hooks in a nested helmfile',
    { source: 'sub/helmfile.yaml', state: 'hooks: [{ command: sh }]' },
    `sub/helmfile.yaml: hooks runs commands; ${permit('hooks')}`,
    'hooks',
  ],
  [
    '26',
    'another helm',
    { state: 'helmBinary: ./evil.sh' },
    `helmfile.yaml: helmBinary names another Helm than Slipway’s; ${NOTHING}`,
  ],
  [
    '27',
    'another kustomize',
    { state: 'kustomizeBinary: ./evil.sh' },
    `helmfile.yaml: kustomizeBinary names another Kustomize than Slipway’s; ${NOTHING}`,
  ],
  [
    '28',
    'a post-renderer',
    { state: release('postRenderer: ./evil.sh') },
    `${SERVICE} releases[0].postRenderer runs a command; ${permit('postRenderer')}`,
    'postRenderer',
  ],
  [
    '29',
    'a post-renderer among the arguments',
    { state: 'helmDefaults: { args: [--post-renderer, ./evil.sh] }' },
    `helmfile.yaml: helmDefaults.args passes --post-renderer to helm; ${permit('postRenderer')}`,
    'postRenderer',
  ],
  [
    '30',
    'a kubeconfig among the arguments',
    { state: 'helmDefaults: { syncArgs: ["--kubeconfig /etc/other"] }' },
    `helmfile.yaml: helmDefaults.syncArgs passes --kubeconfig to helm; ${NOTHING}`,
  ],
  [
    '31',
    'another context for a release',
    { state: release('kubeContext: other') },
    `${SERVICE} releases[0].kubeContext chooses another cluster than the environment’s; ${NOTHING}`,
  ],
  ...['', 'helmDefaults', 'environments.cs-dev'].map((level) => {
    const [outer, inner] = level.split('.');
    const at = level === '' ? '' : `${level}.`;
    const own = '{ kubeContext: other }';
    const nested = inner === undefined ? own : `{ ${inner}: ${own} }`;
    return [
      '31',
      `another context in ${level === '' ? 'the helmfile' : level}`,
      { state: level === '' ? own : `${outer ?? ''}: ${nested}` },
      `helmfile.yaml: ${at}kubeContext chooses another cluster than the environment’s; ${NOTHING}`,
    ] as const;
  }),
  [
    '32',
    'another namespace',
    { state: release('namespace: kube-system') },
    `${SERVICE} releases[0].namespace is "kube-system", but the environment’s is "cs-dev"; ${NOTHING}`,
  ],
  [
    '33',
    'values from the machine',
    { state: release('values: [/etc/passwd]') },
    `${SERVICE} releases[0].values[0] leaves the repository: "/etc/passwd"; ${NOTHING}`,
  ],
  [
    '33',
    'values from outside',
    { source: 'sub/helmfile.yaml', state: release('values: [../../outside.yaml]') },
    `sub/helmfile.yaml, service api: releases[0].values[0] leaves the repository: "../../outside.yaml"; ${NOTHING}`,
  ],
  [
    '33',
    'secrets and set files from outside',
    { state: release('set: [{ name: k, file: ../k }]') },
    `${SERVICE} releases[0].set[0].file leaves the repository: "../k"; ${NOTHING}`,
  ],
  [
    '36',
    'a chart outside',
    { state: 'releases: [{ name: api, chart: ".." }]' },
    `${SERVICE} releases[0].chart leaves the repository: ".."; ${NOTHING}`,
  ],
  [
    '38',
    'a chart repository on the worker’s disk',
    { state: 'repositories: [{ name: r, url: "file://../../" }]' },
    `helmfile.yaml: repositories[0].url leaves the repository; ${NOTHING}`,
  ],
  ...['http://169.254.169.254/latest', 'http://2852039166/', 'http://[fd00:ec2::254]/'].map(
    (url) =>
      [
        '39',
        `a chart repository at ${url}`,
        { state: `repositories: [{ name: r, url: "${url}" }]` },
        `helmfile.yaml: repositories[0].url is an address of the machine that Slipway runs on; ${NOTHING}`,
      ] as const,
  ),
  [
    '38',
    'a dependency of a chart on the worker’s disk',
    { state: release('version: 1'), fetchedFrom: ['file://../../../other'] },
    `${SERVICE} the dependency common of charts/api leaves the repository; ${NOTHING}`,
  ],
  [
    '39',
    'a dependency of a chart at an internal address',
    { state: release('version: 1'), fetchedFrom: ['oci://169.254.169.254/charts'] },
    `${SERVICE} the dependency common of charts/api is an address of the machine that Slipway runs on; ${NOTHING}`,
  ],
  [
    '39',
    'a dependency of a chart that a plugin would fetch',
    { state: release('version: 1'), fetchedFrom: ['s3://bucket/charts'] },
    `${SERVICE} the dependency common of charts/api is fetched from elsewhere; ${permit('remote')}`,
    'remote',
  ],
  [
    '43',
    'a file that a plugin decrypts',
    { state: release('secrets: [environments/secrets.yaml]') },
    `${SERVICE} releases[0].secrets is decrypted by a plugin of helm; ${permit('secrets')}`,
    'secrets',
  ],
  [
    '43',
    'a file of the environment that a plugin decrypts',
    { state: 'environments: { cs-dev: { secrets: [secrets.yaml] }, cs-prod: { secrets: [x] } }' },
    `helmfile.yaml: environments.cs-dev.secrets is decrypted by a plugin of helm; ${permit('secrets')}`,
    'secrets',
  ],
  [
    '42',
    'bases from elsewhere',
    { state: 'bases: ["git::ssh://-oProxyCommand=sh/x@base.yaml"]' },
    `helmfile.yaml: bases[0] is fetched from elsewhere; ${permit('remote')}`,
    'remote',
  ],
  ...(['transformers', 'strategicMergePatches', 'jsonPatches'] as const).map(
    (key) =>
      [
        '-',
        key,
        { state: release(`${key}: [{ a: 1 }]`) },
        `${SERVICE} releases[0].${key} changes what the chart renders; ${permit(key)}`,
        key,
      ] as const,
  ),
  [
    '-',
    'unknown arguments',
    { state: 'helmDefaults: { args: [--wait, --set, token=hunter2hunter2] }' },
    `helmfile.yaml: helmDefaults.args passes --set to helm; ${permit('args')}`,
    'args',
  ],
  [
    '-',
    'kubedog',
    { state: release('trackMode: kubedog') },
    `${SERVICE} releases[0].trackMode waits by kubedog; ${permit('kubedog')}`,
    'kubedog',
  ],
  [
    '-',
    'a signature that is not checked where others are',
    { state: `helmDefaults: { verify: true }\n${release('verify: false')}` },
    `${SERVICE} releases[0].verify turns the check of the chart’s signature off; ${permit('unverified')}`,
    'unverified',
  ],
  [
    '-',
    'a certificate that is not checked',
    { state: 'repositories: [{ name: r, url: https://c.example.org, skipTLSVerify: true }]' },
    `helmfile.yaml: repositories[0].skipTLSVerify trusts any server; ${permit('skipTLS')}`,
    'skipTLS',
  ],
  [
    '-',
    'a language model',
    { state: 'llm: { endpoint: https://llm.example.org }' },
    `helmfile.yaml: llm sends the state to a language model; ${permit('llm')}`,
    'llm',
  ],
  [
    '-',
    'a state that is no map',
    { state: '[1, 2]' },
    `helmfile.yaml: its evaluated state cannot be read; ${NOTHING}`,
  ],
  [
    '-',
    'a release without a name',
    { state: 'releases: [{ chart: a/b }]' },
    `helmfile.yaml: releases[0] has no name; ${NOTHING}`,
  ],
  [
    '-',
    'a list that is none',
    { state: release('values: text') },
    `${SERVICE} values cannot be read; ${NOTHING}`,
  ],
];

describe('refused by name', () => {
  const rows = HOSTILE.map((hostile) => [hostile[0], hostile[1], hostile] as const);
  test.each(rows)('%s %s', (_number, _what, [, , repository, sentence]) => {
    expect(refused(repository)).toEqual([sentence]);
  });

  test('25 helmfiles that nest deeper than fifty, or without end', () => {
    const chain = Array.from({ length: 52 }, (_, index) => ({
      source: `${index}.yaml`,
      state: `helmfiles: [{ path: ${index + 1}.yaml }]`,
    }));
    expect(refused(chain).join()).toContain('helmfiles nests deeper than 50 helmfiles');
    expect(refused(chain.slice(0, 49))).toEqual([]);
    const loop = { source: 'a.yaml', state: 'helmfiles: [a.yaml]' };
    expect(refused(loop).join()).toContain('nests deeper than 50');
  });

  test('all at once, and the text of an argument is not repeated', () => {
    const state = `hooks: [{ command: sh }]\n${release('postRenderer: x, values: [../x]')}`;
    expect(refused({ state })).toHaveLength(3);
    expect(
      refused({ state: 'helmDefaults: { args: ["--set a=hunter2hunter2"] }' }).join(),
    ).not.toContain('hunter2');
  });
});

describe('permitted', () => {
  test.each(
    HOSTILE.flatMap(([, what, repository, , allow]) =>
      allow ? [[what, allow, repository] as const] : [],
    ),
  )('%s, by the entry that the refusal named: %s', (_what, allow, repository) => {
    expect(refused(repository, [allow])).toEqual([]);
  });

  test('nothing by another entry', () => {
    for (const [, , repository, sentence, allow] of HOSTILE) {
      const others = ['hooks', 'readFile', 'exec', 'ref+sops'].filter((entry) => entry !== allow);
      expect(refused(repository, others)).toEqual([sentence]);
    }
  });
});

test('an ordinary repository passes', () => {
  const state = `
helmBinary: /bin/helm
kustomizeBinary: kustomize
kubeContext: slipway
namespace: cs-dev
helmDefaults: { kubeContext: slipway, verify: false, args: [--wait, --timeout 5m], historyMax: 10 }
environments:
  cs-dev: { values: [charts.yaml, { a: 1 }] }
  cs-prod: { kubeContext: prod, values: [{ k: "ref+vault://x" }] }
helmfiles: [{ path: sub/*.yaml }, { path: /attempt/tree/other.yaml }]
repositories: [{ name: charts, url: "http://127.0.0.1:8080" }, { name: o, url: ghcr.io/x, oci: true }]
templates: { unused: { hooks: [{ command: sh }] } }
releases:
  - { name: api, namespace: cs-dev, kubeContext: slipway, chart: charts/api, values: [v/a.yaml.gotmpl] }
  - { name: local, chart: ../charts/local, set: [{ name: a, value: b }, { name: c, file: c.txt }] }
  - { name: oci, chart: oci://ghcr.io/x/chart, needs: [api] }
renderedvalues: { url: "https://example.org/ref" }
`;
  const files = {
    'deploy/helmfile.yaml': '# ref+exec:// is for others\na: {{ "b" }}',
    'deploy/v/a.yaml.gotmpl': '  # secretref+file://no',
  };
  expect(refused({ source: 'deploy/helmfile.yaml', state, files })).toEqual([]);
});

test('what a chart depends on may come from ordinary repositories, and from the commit', () => {
  const fetchedFrom = ['https://charts.example.org', 'oci://ghcr.io/x', '@charts', 'alias:charts'];
  fetchedFrom.push('file://../common', 'file://../../charts/common', '');
  expect(refused({ state: release('version: 1'), fetchedFrom })).toEqual([]);
});
