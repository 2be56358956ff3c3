import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from './platform-processes.ts';

const CLAIM = 'platform.json';

/**
 * Empties the folder for a new platform and notes whose it is. Refuses a folder in which a platform
 * runs, and one that holds something else: a mistyped path must not cost anybody their files.
 */
export async function claimFolder(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const owner = names.length > 0 ? await readOwner(folder) : undefined;
  if (owner !== undefined && owner !== process.pid && isAlive(owner)) {
    throw new Error(
      `a platform runs in ${folder} (process ${owner}): stop it first, use another folder, ` +
        'or remove this one if that process is something else',
    );
  }
  if (names.length > 0 && owner === undefined) {
    throw new Error(`${folder} holds something that is not a platform: use another folder`);
  }
  await rm(folder, { recursive: true, force: true });
  // Others may pass through, not look: PostgreSQL runs as another user when this one is root.
  await mkdir(folder, { recursive: true, mode: 0o711 });
  await writeFile(join(folder, CLAIM), JSON.stringify({ pid: process.pid }));
}

async function readOwner(folder: string): Promise<number | undefined> {
  try {
    const { pid } = JSON.parse(await readFile(join(folder, CLAIM), 'utf8')) as { pid?: unknown };
    return typeof pid === 'number' ? pid : undefined;
  } catch {
    return undefined;
  }
}
