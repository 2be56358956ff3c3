import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { migrateToLatest } from '../../src/adapters/postgres/migrate.ts';
import type { PlatformContext } from '../../src/main/dev/part.ts';
import { PLATFORM_VARIABLE } from '../../src/main/dev/platform-processes.ts';
import { startPostgres } from '../../src/main/dev/postgres.ts';
import { startReaper } from '../../src/main/dev/reaper.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of a migrated, empty database that nobody connects to, so that it can be copied. */
    postgresUrl: string;
  }
}

/** Starts one PostgreSQL for the whole run; each test file makes its own database in it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-test-postgres-'));
  // PostgreSQL runs as another user when this one is root, and must get through.
  await chmod(folder, 0o711);
  await mkdir(join(folder, 'logs'), { mode: 0o700 });
  const id = randomBytes(8).toString('hex');
  const context: PlatformContext = {
    id,
    folder,
    env: {
      [PLATFORM_VARIABLE]: id,
      PATH: process.env.PATH ?? '/usr/bin:/bin',
      LANG: 'C.UTF-8',
      TZ: 'UTC',
    },
    // PostgreSQL comes from its npm package and needs none of them.
    tools: {} as PlatformContext['tools'],
    reaper: await startReaper(id, folder),
  };
  const postgres = await startPostgres(context);
  await migrateToLatest(postgres.url);
  project.provide('postgresUrl', postgres.url);
  return async () => {
    await postgres.stop();
    await context.reaper.close();
    await rm(folder, { recursive: true, force: true });
  };
}
