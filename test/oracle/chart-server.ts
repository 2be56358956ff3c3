import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { startLoopbackServer } from '../../src/main/dev/loopback-server.ts';
import { artifactOf, type Served } from './chart-artifact.ts';
import type { State } from './repository.ts';
import { REMOTE_CHARTS, REMOTE_VARIANTS, REMOTE_VERSIONS, remoteChart } from './repository.ts';
import { writeFiles } from '../support/write-files.ts';

/** A chart repository over HTTP and a registry, both open and with a login, that hold what a state says. */
export interface ChartServer {
  url: string;
  serve: (published: State['published']) => void;
  stop: () => Promise<void>;
}

/** Who may read what lies below `guarded`. */
const [USER, PASSWORD] = ['robot', 'secret'];
const AUTHORIZATION = `Basic ${btoa(`${USER}:${PASSWORD}`)}`;

/** What the repository of a state asks for to find its charts. */
export function chartVariables(url: string): Record<string, string> {
  const { host } = new URL(url);
  return {
    CHART_REPOSITORY_URL: url,
    CHART_REGISTRY: host,
    CHART_USER: USER,
    CHART_PASSWORD: PASSWORD,
  };
}

/** Signs in to the registry as `helm registry login` does, which cannot do so over plain HTTP. */
export async function signIn(helmConfig: string, url: string): Promise<void> {
  const auths = { [new URL(url).host]: { auth: AUTHORIZATION.replace('Basic ', '') } };
  await mkdir(join(helmConfig, 'registry'), { recursive: true });
  await writeFile(join(helmConfig, 'registry', 'config.json'), JSON.stringify({ auths }));
}

/** Packages all charts that any state may have, and serves none of them yet. */
export async function startChartServer(
  folder: string,
  helm: (args: string[]) => Promise<unknown>,
): Promise<ChartServer> {
  const packages = await packageCharts(folder, helm);
  let served = new Map<string, Served>();
  const server = await startLoopbackServer((request, response) => {
    const path = (request.url ?? '').replace(/\?.*$/, '');
    const isKnown = request.headers.authorization === AUTHORIZATION;
    const found = served.get(path.replace(/^\/guarded\//, '/').replace(/^\/v2\/\w+\//, '/v2/'));
    if (path.includes('/guarded/') && !isKnown) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="charts"' }).end();
    } else if (!found) {
      response.writeHead(404).end();
    } else {
      const { type, digest, content } = found;
      const headers = { 'content-type': type, 'docker-content-digest': digest };
      response.writeHead(200, { ...headers, 'content-length': content.length }).end(content);
    }
  });
  return {
    url: server.url,
    serve: (published) => {
      served = contentOf(published, packages);
    },
    stop: () => server.stop(),
  };
}

type Packages = ReadonlyMap<string, Buffer>;

async function packageCharts(
  folder: string,
  helm: (args: string[]) => Promise<unknown>,
): Promise<Packages> {
  const packages = new Map<string, Buffer>();
  for (const name of REMOTE_CHARTS) {
    for (let variant = 0; variant < REMOTE_VARIANTS; variant += 1) {
      const source = join(folder, `${name}-${variant}`, name);
      await mkdir(source, { recursive: true });
      await writeFiles(source, Object.entries(remoteChart(name, variant)));
      for (const version of REMOTE_VERSIONS) {
        await helm(['package', source, '--version', version, '--destination', folder]);
        const made = join(folder, `${name}-${version}.tgz`);
        const kept = join(folder, `${name}-${version}-${variant}.tgz`);
        await rename(made, kept);
        packages.set(`${name} ${version} ${variant}`, await readFile(kept));
      }
    }
  }
  return packages;
}

/** What is served at which path. */
function contentOf(published: State['published'], packages: Packages): Map<string, Served> {
  const served = new Map<string, Served>();
  const entries: Record<string, unknown[]> = {};
  for (const [chart, variant] of published) {
    const [name = '', version = ''] = chart.split(' ');
    const content = packages.get(`${chart} ${variant}`);
    if (!content) throw new Error(`no chart was packaged for ${chart}`);
    const file = `${name}-${version}.tgz`;
    const digest = createHash('sha256').update(content).digest('hex');
    (entries[name] ??= []).push({ apiVersion: 'v2', name, version, digest, urls: [file] });
    const { manifest, blobs } = artifactOf(name, version, content);
    served.set(`/${file}`, { type: 'application/gzip', digest, content });
    for (const blob of blobs) served.set(`/v2/${name}/blobs/${blob.digest}`, blob);
    served.set(`/v2/${name}/manifests/${version}`, manifest);
    served.set(`/v2/${name}/manifests/${manifest.digest}`, manifest);
  }
  const text = (type: string, content: string): Served => ({
    ...{ type, digest: '', content: Buffer.from(content) },
  });
  for (const name of REMOTE_CHARTS) {
    const tags = (entries[name] ?? []).map((entry) => (entry as { version: string }).version);
    served.set(`/v2/${name}/tags/list`, text('application/json', JSON.stringify({ name, tags })));
  }
  return served.set(
    '/index.yaml',
    text('application/yaml', stringify({ apiVersion: 'v1', entries })),
  );
}
