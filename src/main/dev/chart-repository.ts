import { cp, mkdir, readFile, readdir, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../adapters/process/run.ts';
import { startLoopbackServer } from './loopback-server.ts';
import type { PlatformContext } from './part.ts';

export interface ChartRepository {
  url: string;
  /** Adds another version of every chart, as a maintainer who releases them would. */
  publish(version: string): Promise<void>;
  stop(): Promise<void>;
}

const CHARTS = fileURLToPath(new URL('../../../templates/charts/', import.meta.url));
/** The chart that the others are built on; it is packed into each of them. */
const LIBRARY = 'generic-service';
/** The only names there are: no path from a request ever reaches the file system. */
const SERVED = /^\/(index\.yaml|[a-z0-9.-]+\.tgz)$/;

/** Packages the charts of `templates/charts` and serves them as a Helm repository on loopback. */
export async function startChartRepository(context: PlatformContext): Promise<ChartRepository> {
  const sources = join(context.folder, 'charts', 'sources');
  const served = join(context.folder, 'charts', 'served');
  await rm(join(context.folder, 'charts'), { recursive: true, force: true });
  await mkdir(served, { recursive: true });
  const charts = await copySources(sources);
  const publish = async (...versionFlags: string[]) => {
    await helm(context, ['package', ...charts, '--destination', served, ...versionFlags]);
    await helm(context, ['repo', 'index', served]);
  };
  await publish();
  const server = await startLoopbackServer((request, response) => {
    void serve(served, request, response);
  });
  return {
    url: server.url,
    publish: (version) => publish('--version', version),
    stop: () => server.stop(),
  };
}

/** Copies the charts, each with the one it depends on inside, where `helm package` expects it. */
async function copySources(folder: string): Promise<string[]> {
  await cp(CHARTS, folder, { recursive: true });
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory() && entry.name !== LIBRARY);
  return await Promise.all(
    names.map(async ({ name }) => {
      const inside = join(folder, name, 'charts', LIBRARY);
      await cp(join(CHARTS, LIBRARY), inside, { recursive: true });
      return join(folder, name);
    }),
  );
}

async function helm(context: PlatformContext, args: string[]): Promise<void> {
  const result = await run(context.tools.helm, args, { env: context.env, timeoutMs: 60_000 });
  if (result.exitCode !== 0) throw new Error(`packaging the charts: ${result.stderr.trim()}`);
}

async function serve(folder: string, request: IncomingMessage, response: ServerResponse) {
  const name = SERVED.exec(request.url ?? '')?.[1];
  const readOnly = request.method === 'GET' || request.method === 'HEAD';
  const content = name && readOnly ? await readFile(join(folder, name)).catch(() => null) : null;
  if (!name || !content) {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
    return;
  }
  const type = name.endsWith('.yaml') ? 'application/yaml' : 'application/gzip';
  response.writeHead(200, { 'content-type': type, 'content-length': content.length }).end(content);
}
