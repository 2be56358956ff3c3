import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../process/run.ts';
import { goModuleOf, type ToolsContext } from './context.ts';
import { packageClientEnv } from './environment.ts';
import { lastLines, SourceFailure } from './failure.ts';
import type { GoSource } from './manifest.ts';
import { which } from './probe.ts';
import { compareVersions } from './versions.ts';

const BUILD_MS_MAX = 60 * 60_000;

/**
 * Builds programs of one Go module, all in one `go build`, so that they share what they have in
 * common, and returns the path of each. go.sum pins every byte that goes in.
 */
export async function fromGo(
  context: ToolsContext,
  sources: ReadonlyMap<string, GoSource>,
  moduleName: string,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<Map<string, string>> {
  const go = await findGo(context, moduleName);
  if (!go.ok) throw new SourceFailure(go.reason);
  const module = goModuleOf(context, moduleName);
  const binaries = join(folder, 'bin');
  await mkdir(binaries, { recursive: true });
  const variables = Object.entries(module.variables).map(([name, value]) => `-X ${name}=${value}`);
  const result = await run(
    go.path,
    [
      ...['build', '-mod=readonly', '-trimpath', '-buildvcs=false', '-o', `${binaries}/`],
      ...['-ldflags', ['-s', '-w', ...variables].join(' ')],
      ...[...sources.values()].map((source) => source.package),
    ],
    {
      cwd: join(context.projectFolder, module.folder),
      env: goEnv(context),
      timeoutMs: BUILD_MS_MAX,
      keepTailBytes: 64 * 1024,
      ...(signal && { signal }),
    },
  );
  if (result.timedOut) throw new SourceFailure('go build took too long');
  if (result.exitCode !== 0) throw new SourceFailure(`go build: ${lastLines(result.stderr)}`);
  return new Map(
    [...sources].map(([name, source]) => [name, join(binaries, source.binary ?? name)]),
  );
}

export type GoAnswer =
  { ok: true; path: string; version: string } | { ok: false; reason: string; needed: string };

/** Finds a Go that is new enough for a module. A newer one is never downloaded behind one's back. */
export async function findGo(context: ToolsContext, moduleName: string): Promise<GoAnswer> {
  const needed = await neededGo(context, moduleName);
  const path = which('go', context.env);
  if (path === undefined) {
    return { ok: false, needed, reason: `Go ${needed} or newer is needed and not on PATH` };
  }
  const result = await run(path, ['env', 'GOVERSION'], { env: goEnv(context), timeoutMs: 30_000 });
  const version = result.stdout.trim().replace(/^go/, '');
  if (result.exitCode !== 0 || compareVersions(version, needed) < 0) {
    const found = version || lastLines(result.stderr);
    return { ok: false, needed, reason: `Go ${needed} or newer is needed, ${path} is ${found}` };
  }
  return { ok: true, path, version };
}

async function neededGo(context: ToolsContext, moduleName: string): Promise<string> {
  const { folder } = goModuleOf(context, moduleName);
  const text = await readFile(join(context.projectFolder, folder, 'go.mod'), 'utf8');
  return /^go (\S+)$/m.exec(text)?.[1] ?? '1';
}

function goEnv(context: ToolsContext): Record<string, string> {
  return {
    ...packageClientEnv(context.env),
    CGO_ENABLED: '0',
    GOTOOLCHAIN: 'local',
    GOWORK: 'off',
  };
}
