import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRunning, ownIdentity } from '../../adapters/process/identity.ts';
import type { ProcessIdentity } from '../../domain/lease.ts';

const CLAIM = 'platform.json';

/**
 * Empties the folder for a new platform and notes whose it is. Refuses a folder in which a platform
 * runs, and one that holds something else: a mistyped path must not cost anybody their files.
 */
export async function claimFolder(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const owner = names.length > 0 ? await readOwner(folder) : undefined;
  const me = ownIdentity();
  if (names.length > 0 && owner === undefined) {
    throw new Error(`${folder} holds something that is not a platform: use another folder`);
  }
  if (owner && owner.pid !== me.pid && owner.place === me.place && isRunning(owner)) {
    throw new Error(
      `a platform runs in ${folder} (process ${owner.pid}): stop it first, or use another folder`,
    );
  }
  if (names.length > 0) await removeWhole(folder);
  // Others may pass through, not look: PostgreSQL runs as another user when this one is root.
  await mkdir(folder, { recursive: true, mode: 0o711 });
  await writeFile(join(folder, CLAIM), JSON.stringify(me));
}

/** Renamed first: a removal that is cut short must not leave a folder that looks like somebody else's. */
async function removeWhole(folder: string): Promise<void> {
  const aside = `${folder}.old`;
  await rm(aside, { recursive: true, force: true });
  await rename(folder, aside);
  await rm(aside, { recursive: true, force: true });
}

async function readOwner(folder: string): Promise<ProcessIdentity | undefined> {
  try {
    const owner = JSON.parse(await readFile(join(folder, CLAIM), 'utf8')) as ProcessIdentity;
    return typeof owner.pid === 'number' ? owner : undefined;
  } catch {
    return undefined;
  }
}
