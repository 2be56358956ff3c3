import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resolveInIndex } from '../../../src/adapters/helmfile/chart-index.ts';
import { resolveInRegistry } from '../../../src/adapters/helmfile/chart-registry.ts';
import { run } from '../../../src/adapters/process/run.ts';
import { ensureTools } from '../../../src/adapters/tools/ensure-tools.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-charts-'));
});
afterAll(() => rm(folder, { recursive: true }));

const VERSIONS = [
  ...['2.0.0-rc.1', '1.10.0', '1.9.3', '1.2.3', '1.2.0', '1.3.0-beta.2', '1.3.0-beta.10'],
  ...['0.3.1', '0.2.9', '0.2.3', '0.0.3', '0.0.1', '3.0.0'],
];
const RANGES = [
  ...['1.2.3', '^1.2.0', '~1.2.0', '1.2.x', '1', '=1.2', '>1.2', '>=1.0.0 <1.10.0', '<1.2'],
  ...['<=1.2', '!=3.x <3', '1.0 - 1.9', '^0.2.3', '^0.0.1', '^0.0', '^0', '~0', '*', ''],
  ...['~1.3.0-beta.1', '1.3.0-beta.2', '>=2.0.0-0 <3', '^9', '^1 || ^0.2', '>=1.2, <1.9'],
];

test('a range is resolved as helm itself does, from the same index', async () => {
  const { helm } = await ensureTools(['helm']);
  const index = indexOf(VERSIONS.map((version) => ({ version, digest: `sha-${version}` })));
  const env = helmEnvironment();
  const repository = join(env.HELM_CACHE_HOME, 'repository');
  await mkdir(repository, { recursive: true });
  await mkdir(env.HELM_CONFIG_HOME, { recursive: true });
  await writeFile(join(repository, 'charts-index.yaml'), index);
  await writeFile(
    join(env.HELM_CONFIG_HOME, 'repositories.yaml'),
    'apiVersion: ""\nrepositories:\n- name: charts\n  url: http://127.0.0.1:9\n',
  );
  for (const range of RANGES) {
    const version = range === '' ? [] : ['--version', range];
    const args = ['search', 'repo', 'charts/api', ...version, '--output', 'json'];
    const { stdout, stderr } = await run(helm, args, { env });
    expect(stderr, range).toBe('');
    const found = JSON.parse(stdout) as { name: string; version: string }[];
    const expected = found.find(({ name }) => name === 'charts/api')?.version;
    expect(resolveInIndex(index, 'api', range)?.version, `"${range}"`).toBe(expected);
  }
}, 60_000);

describe('an index', () => {
  const one = { version: '1.0.0', digest: 'sha-1' };

  test('gives the digest, which changes with a version that is published again', () => {
    expect(resolveInIndex(indexOf([one]), 'api', '^1')).toEqual(one);
  });

  test('without digests is told apart by what it says of a version', () => {
    const of = (created: string) =>
      `entries:\n  api:\n  - version: 1.0.0\n    created: "${created}"\n`;
    const before = resolveInIndex(of('monday'), 'api', '');
    expect(before).toMatchObject({ version: '1.0.0' });
    expect(resolveInIndex(of('tuesday'), 'api', '')).not.toEqual(before);
  });

  test.each([
    [
      'indented lists',
      'entries:\n  api:\n    - name: api\n      version: "1.0.0"\n      digest: sha-1\n',
    ],
    ['JSON', JSON.stringify({ entries: { api: [one] } })],
    ['flow style', 'entries: { api: [{ version: 1.0.0, digest: sha-1 }] }\n'],
  ])('may be written with %s', (_title, index) => {
    expect(resolveInIndex(index, 'api', '')).toEqual(one);
  });

  test('does not confuse a chart with its neighbours or its dependencies', () => {
    const index = `entries:
  api:
  - dependencies:
    - name: base
      version: 9.0.0
    digest: sha-1
    version: 1.0.0
  api-gateway:
  - digest: sha-7
    version: 7.0.0
generated: "2026-01-01"
`;
    expect(resolveInIndex(index, 'api', '')).toEqual(one);
    expect(resolveInIndex(index, 'base', '')).toBeUndefined();
  });

  test('of twenty megabytes is read in a moment', () => {
    const filler = Array.from(
      { length: 60_000 },
      (_, at) => `  other-${at}:\n  - version: 1.0.0\n    description: ${'x'.repeat(300)}\n`,
    );
    const index = `apiVersion: v1\nentries:\n${filler.join('')}${indexOf([one]).split('entries:\n')[1] ?? ''}`;
    const started = performance.now();
    expect(resolveInIndex(index, 'api', '')).toEqual(one);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

describe('a registry', () => {
  let server: Server;
  let host: string;
  const asked: string[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      const { url = '', headers } = request;
      asked.push(`${request.method ?? ''} ${url}`);
      if (url.startsWith('/token')) {
        const known = headers.authorization === `Basic ${btoa('robot:secret')}`;
        response.writeHead(known ? 200 : 401).end(JSON.stringify({ token: 'good' }));
      } else if (headers.authorization !== 'Bearer good') {
        const realm = `Bearer realm="http://${host}/token",service="s",scope="pull"`;
        response.writeHead(401, { 'www-authenticate': realm }).end();
      } else if (url.startsWith('/v2/charts/api/tags/list?n=1000')) {
        const link = '</v2/charts/api/tags/list?n=1000&last=1>; rel="next"';
        const isFirst = !url.includes('last');
        const tags = isFirst ? ['1.0.0', '1.1.0_build.5'] : ['1.2.0', '2.0.0'];
        response.writeHead(200, isFirst ? { link } : {}).end(JSON.stringify({ tags }));
      } else if (/^\/v2\/charts\/api\/manifests\/(1\.2\.0|1\.1\.0_build\.5)$/.test(url)) {
        response.writeHead(200, { 'docker-content-digest': `sha256:${url.slice(-5)}` }).end();
      } else response.writeHead(404).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  const login = async (auth: string) => {
    await mkdir(join(folder, 'registry'), { recursive: true });
    const auths = { [host]: { auth: btoa(auth) } };
    await writeFile(join(folder, 'registry', 'config.json'), JSON.stringify({ auths }));
    return { helmConfig: folder, plainHttp: true };
  };

  test('is asked for its tags on all pages, and for the digest, with the login of helm', async () => {
    const access = await login('robot:secret');
    expect(await resolveInRegistry(`${host}/charts/api`, '^1.0.0', access)).toEqual({
      version: '1.2.0',
      digest: 'sha256:1.2.0',
    });
  });

  test('is not asked for tags when the version is exact; `+` is `_` in a tag', async () => {
    const access = await login('robot:secret');
    asked.length = 0;
    const found = await resolveInRegistry(`${host}/charts/api`, '1.1.0+build.5', access);
    expect(found?.version).toBe('1.1.0+build.5');
    expect(asked.some((line) => line.includes('tags/list'))).toBe(false);
    expect(await resolveInRegistry(`${host}/charts/api`, '9.9.9', access)).toBeUndefined();
  });

  test('that refuses the login says so', async () => {
    const access = await login('robot:wrong');
    await expect(resolveInRegistry(`${host}/charts/api`, '^1', access)).rejects.toThrow(
      'it refuses access',
    );
  });

  test('that is away is an unreachable chart repository', async () => {
    const access = { helmConfig: folder, plainHttp: true };
    await expect(resolveInRegistry('127.0.0.1:9/api', '^1', access)).rejects.toMatchObject({
      code: 'chart-repository-unreachable',
    });
  });
});

function indexOf(versions: readonly { version: string; digest: string }[]): string {
  const entries = versions.map(
    ({ version, digest }) =>
      `  - apiVersion: v2\n    digest: ${digest}\n    name: api\n    urls:\n    - api-${version}.tgz\n    version: ${version}\n`,
  );
  return `apiVersion: v1\nentries:\n  api:\n${entries.join('')}generated: "2026-01-01T00:00:00Z"\n`;
}

function helmEnvironment() {
  return {
    PATH: '/usr/bin:/bin',
    HOME: folder,
    HELM_CACHE_HOME: join(folder, 'cache'),
    HELM_CONFIG_HOME: join(folder, 'config'),
    HELM_DATA_HOME: join(folder, 'data'),
  };
}
