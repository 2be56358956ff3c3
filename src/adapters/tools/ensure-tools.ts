import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findInCache, rememberOnPath, type FoundTool } from './cache.ts';
import { defaultContext, toolOf, type ToolsContext } from './context.ts';
import { installTools } from './install.ts';
import { acquireLock } from './lock.mjs';
import type { ToolName } from './manifest.ts';
import { findOnPath } from './probe.ts';
import type { OnProgress } from './progress.ts';

export interface EnsureOptions {
  onProgress?: OnProgress;
  /** Called again and again while another process installs. */
  onWait?: (holderPid: number) => void;
  /** Aborting ends what is being built or downloaded; nothing half-done stays. */
  signal?: AbortSignal;
}

/** Where a tool is, or why it is not there. */
export type ToolReport = { found: FoundTool } | { found: undefined; reason: string };

/**
 * The absolute path of each tool, installed if it has to be: from the cache, from PATH in an accepted
 * version, or from its sources. Throws `tool-missing` with every reason when that is not possible.
 * With everything in the cache this only reads a few small files.
 */
export async function ensureTools<Name extends ToolName>(
  names: readonly Name[],
  options: EnsureOptions = {},
): Promise<Record<Name, string>> {
  const paths = await ensureToolsIn(defaultContext(), names, options);
  return Object.fromEntries(paths) as Record<Name, string>;
}

/** Looks for tools and installs nothing; the content of cached ones is compared with its hash. */
export async function findTools<Name extends ToolName>(
  names: readonly Name[],
): Promise<Record<Name, ToolReport>> {
  const context = defaultContext();
  const reports = await Promise.all(
    names.map(async (name) => [name, await findTool(context, name)] as const),
  );
  return Object.fromEntries(reports) as Record<Name, ToolReport>;
}

/** {@link ensureTools} with a manifest and folders of the caller's choice. */
export async function ensureToolsIn(
  context: ToolsContext,
  names: readonly string[],
  options: EnsureOptions = {},
): Promise<Map<string, string>> {
  const cached = await cachedPaths(context, names);
  if (cached.size === names.length) return cached;
  await mkdir(context.cacheFolder, { recursive: true });
  const release = await acquireLock(join(context.cacheFolder, 'lock'), options);
  try {
    await installUnderLock(context, names, options);
  } finally {
    release();
  }
  return cachedPaths(context, names);
}

async function installUnderLock(
  context: ToolsContext,
  names: readonly string[],
  options: EnsureOptions,
): Promise<void> {
  // Only who holds the lock stages anything, so what is there was left by one who was killed.
  const stagingRoot = join(context.cacheFolder, 'staging');
  await rm(stagingRoot, { recursive: true, force: true });
  await mkdir(stagingRoot);
  const staging = await mkdtemp(join(stagingRoot, 'install-'));
  try {
    // Another process may have installed all of it while this one waited for the lock.
    const cached = await cachedPaths(context, names);
    const missing = new Map<string, string>();
    for (const name of names.filter((each) => !cached.has(each))) {
      const answer = await findOnPath(name, toolOf(context, name), context.env);
      if (answer.found) await rememberOnPath(context, name, answer, staging);
      else missing.set(name, answer.reason);
    }
    const { onProgress, signal } = options;
    await installTools(context, missing, { staging, onProgress, signal });
  } finally {
    await rm(stagingRoot, { recursive: true, force: true });
  }
}

async function findTool(context: ToolsContext, name: string): Promise<ToolReport> {
  const cached = await findInCache(context, name, { verify: true });
  if (cached) return { found: cached };
  const onPath = await findOnPath(name, toolOf(context, name), context.env);
  if (!onPath.found) return { found: undefined, reason: onPath.reason };
  return { found: { path: onPath.path, version: onPath.version, origin: 'path' } };
}

async function cachedPaths(
  context: ToolsContext,
  names: readonly string[],
): Promise<Map<string, string>> {
  const paths = new Map<string, string>();
  for (const name of names) {
    const found = await findInCache(context, name);
    if (found) paths.set(name, found.path);
  }
  return paths;
}
