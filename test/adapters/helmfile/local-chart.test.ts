import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cutBuild } from '../../../src/adapters/helmfile/build-output.ts';
import { chartFetches } from '../../../src/adapters/helmfile/chart-fetches.ts';
import { Charts } from '../../../src/adapters/helmfile/charts.ts';
import { InputFiles } from '../../../src/adapters/helmfile/input-files.ts';
import { readLocalChart } from '../../../src/adapters/helmfile/local-chart.ts';
import { writeFiles } from '../../support/write-files.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-local-chart-'));
});
afterAll(() => rm(folder, { recursive: true }));

let trees = 0;
async function tree(files: Readonly<Record<string, string>>): Promise<string> {
  const root = join(folder, `tree-${(trees += 1)}`);
  await writeFiles(root, Object.entries(files));
  return root;
}

const REMOTE = 'https://charts.example.org';
const manifest = (...dependencies: string[]) =>
  `apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n${dependencies.join('')}`;
const dependency = (name: string, repository: string, version = '^1.0.0') =>
  `  - { name: ${name}, version: "${version}", repository: "${repository}" }\n`;

describe('a chart of the commit', () => {
  const both = manifest(dependency('common', 'file://../common'), dependency('db', REMOTE));
  const PACKED = { 'charts/db-1.2.3.tgz': '', 'charts/here/Chart.yaml': 'name: common\n' };

  test.each<[what: string, files: Record<string, string>, fetched: string[]]>([
    ['has all that it needs', { 'Chart.yaml': both, ...PACKED }, []],
    ['needs nothing', { 'Chart.yaml': 'name: app\nversion: 0.1.0\n' }, []],
    ['lacks all', { 'Chart.yaml': both }, ['common', 'db']],
    [
      'lacks one, and Helm fetches all',
      { 'Chart.yaml': both, 'charts/db-1.2.3.tgz': '' },
      ['common', 'db'],
    ],
    [
      'has another whose name begins alike',
      { 'Chart.yaml': manifest(dependency('db', REMOTE)), 'charts/db-tools-1.2.3.tgz': '' },
      ['db'],
    ],
    [
      'is one of Helm 2',
      { 'Chart.yaml': 'name: app\n', 'requirements.yaml': both },
      ['common', 'db'],
    ],
  ])('%s', async (_what, files, fetched) => {
    expect(readLocalChart(await tree(files), '.')?.fetched.map(({ name }) => name)).toEqual(
      fetched,
    );
  });

  test('is none without a manifest', async () => {
    expect(readLocalChart(await tree({ 'values.yaml': '' }), '.')).toBeUndefined();
  });
});

const INDEX = (...versions: string[]) =>
  `apiVersion: v1\nentries:\n  db:\n${versions.map((one) => `  - version: ${one}\n    digest: sha-${one}\n`).join('')}`;

/** What is found of a chart `app` whose repository `charts` has these versions of `db`. */
async function find(files: Readonly<Record<string, string>>, ...versions: string[]) {
  const root = await tree({
    ...files,
    'helm/cache/repository/charts-index.yaml': INDEX(...versions),
  });
  const repositories = new Map([['charts', { name: 'charts', url: `${REMOTE}/`, folder: '.' }]]);
  const place = { tree: root, helmHome: join(root, 'helm'), files: new InputFiles(root) };
  const charts = new Charts({ ...place, repositories });
  return charts.find({ name: 'web', chart: './app', version: '', folder: '.' });
}

describe('what a chart of the commit depends on', () => {
  test.each([REMOTE, '@charts', 'alias:charts'])(
    'is resolved in the repository that %s is',
    async (repository) => {
      const files = { 'app/Chart.yaml': manifest(dependency('db', repository)) };
      const found = await find(files, '1.2.0', '1.3.0', '2.0.0');
      expect(found).toMatchObject({ version: '0.1.0', digest: 'db 1.3.0 sha-1.3.0' });
      expect(found.notUnderstood).toBeUndefined();
    },
  );

  test('is what the lock file says, whatever is newer', async () => {
    const files = {
      'app/Chart.yaml': manifest(dependency('db', REMOTE)),
      'app/Chart.lock': `dependencies:\n${dependency('db', REMOTE, '1.2.0')}`,
    };
    const found = await find(files, '1.2.0', '1.3.0');
    expect(found.digest).toBe('db 1.2.0 sha-1.2.0');
    expect(found.files.map(({ path }) => path)).toContain('app/Chart.lock');
  });

  test('counts with its files where it lies in the commit', async () => {
    const files = {
      'app/Chart.yaml': manifest(dependency('common', 'file://../common')),
      'common/templates/all.yaml': 'kind: ConfigMap\n',
    };
    const found = await find(files);
    expect(found.files.map(({ path }) => path)).toContain('common/templates/all.yaml');
    expect(found.digest).toBeUndefined();
  });

  test('is named where no version fits', async () => {
    const files = { 'app/Chart.yaml': manifest(dependency('db', REMOTE, '^3')) };
    expect((await find(files, '1.2.0')).unresolved).toBe(
      'No version of db, on which the chart app for web depends, matches "^3".',
    );
  });

  test('is not understood where it comes from a repository of its own', async () => {
    const files = { 'app/Chart.yaml': manifest(dependency('db', 'https://other.example.org')) };
    expect((await find(files)).notUnderstood).toBe(
      'its chart fetches db from a repository that the helmfile does not name',
    );
  });
});

test('charts are fetched for where something is missing, each once, and others cost nothing', async () => {
  const root = await tree({
    'sub/app/Chart.yaml': manifest(dependency('db', REMOTE)),
    'whole/Chart.yaml': 'name: whole\n',
    'foreign/Chart.yaml': manifest(dependency('db', 'https://other.example.org')),
    'plain/Chart.yaml': manifest(dependency('db', 'oci://127.0.0.1:5000/charts')),
  });
  const documents = cutBuild(`---
#  Source: /sub/helmfile.yaml
repositories:
  - name: plain
    url: 127.0.0.1:5000/charts
    oci: true
    plainHttp: true
  - name: charts
    url: ${REMOTE}
releases:
  - chart: ./app
    name: one
  - chart: app
    name: two
  - chart: ../whole
    name: three
  - chart: ../plain
    name: four
  - chart: charts/api
    name: five
  - chart: ../foreign
    name: six
`);
  const build = (chart: string, ...flags: string[]) => ['dependency', 'build', chart, ...flags];
  const app = build('sub/app', '--skip-refresh');
  expect(chartFetches(documents, root, ['one', 'two', 'three', 'five'])).toEqual([app]);
  expect(chartFetches(documents, root, ['three'])).toEqual([]);
  expect(chartFetches(documents, root, [])).toEqual([
    app,
    build('plain', '--skip-refresh', '--plain-http'),
    build('foreign'),
  ]);
});
