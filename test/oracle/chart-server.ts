import { createHash } from 'node:crypto';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { startLoopbackServer } from '../../src/main/dev/loopback-server.ts';
import type { State } from './repository.ts';
import { REMOTE_CHARTS, REMOTE_VARIANTS, REMOTE_VERSIONS, remoteChart } from './repository.ts';
import { writeFiles } from '../support/write-files.ts';

/** A chart repository over HTTP whose content is that of a state. */
export interface ChartServer {
  url: string;
  serve: (published: State['published']) => void;
  stop: () => Promise<void>;
}

/** Packages all charts that any state may have, and serves none of them yet. */
export async function startChartServer(
  folder: string,
  helm: (args: string[]) => Promise<unknown>,
): Promise<ChartServer> {
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
  let served = new Map<string, Buffer>();
  const server = await startLoopbackServer((request, response) => {
    const content = served.get(request.url ?? '');
    response.writeHead(content ? 200 : 404).end(content);
  });
  return {
    url: server.url,
    serve: (published) => {
      served = new Map();
      const entries: Record<string, unknown[]> = {};
      for (const [chart, variant] of published) {
        const [name = '', version = ''] = chart.split(' ');
        const content = packages.get(`${chart} ${variant}`);
        if (!content) throw new Error(`no chart was packaged for ${chart}`);
        const file = `${name}-${version}.tgz`;
        served.set(`/${file}`, content);
        const digest = createHash('sha256').update(content).digest('hex');
        (entries[name] ??= []).push({ apiVersion: 'v2', name, version, digest, urls: [file] });
      }
      served.set('/index.yaml', Buffer.from(stringify({ apiVersion: 'v1', entries })));
    },
    stop: () => server.stop(),
  };
}
