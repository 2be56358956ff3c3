import { randomBytes } from 'node:crypto';
import { appendFile, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../adapters/process/run.ts';
import type { ProcessUser } from '../../adapters/process/service.ts';
import { freePort } from './free-port.ts';
import { startPart, twice, type PartContext } from './part.ts';
import { locatePostgres, type PostgresHome } from './postgres-home.ts';

export interface Postgres {
  /** For the role slipway, who owns the database slipway and may create others. */
  url: string;
  stop(): Promise<void>;
}

/** SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave. */
const LADDER = { leaderSignal: 'SIGINT', groupTermMs: 4_000, groupKillMs: 6_000 } as const;

/**
 * Durability is switched off: the data does not outlive the platform, so only a crash of the whole
 * machine could lose it. Never a configuration for real use.
 */
const SETTINGS = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
full_page_writes = off
max_connections = 200
shared_buffers = 64MB
timezone = 'UTC'
`;

/** Starts a fresh PostgreSQL on loopback, with a random password and an empty database. */
export async function startPostgres(context: PartContext): Promise<Postgres> {
  const home = await locatePostgres(context);
  const password = randomBytes(24).toString('base64url');
  await initialise(context, home, password);
  const started = await twice(() => startOn(context, home));
  return {
    url: `postgres://slipway:${password}@127.0.0.1:${started.port}/slipway`,
    stop: async () => {
      await started.service.stop();
      await home.dispose();
    },
  };
}

async function startOn(context: PartContext, home: PostgresHome) {
  const port = await freePort();
  const service = await startPart(context, {
    name: 'PostgreSQL',
    file: home.postgres,
    args: ['-D', home.data, '-p', String(port)],
    logFile: join(context.folder, 'logs', 'postgres.log'),
    isReady: () => saysReady(home.data),
    timeoutMs: 30_000,
    ladder: LADDER,
    ...userOf(home.user),
  });
  return { port, service };
}

/** The server itself writes into its pid file when it accepts connections; pg_ctl reads it too. */
async function saysReady(data: string): Promise<boolean> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n');
  return lines[7]?.trim() === 'ready';
}

/** Makes the cluster, then the role and database in single-user mode, where nobody can listen in. */
async function initialise(context: PartContext, home: PostgresHome, password: string) {
  await rm(home.data, { recursive: true, force: true });
  await mkdir(home.data, { recursive: true, mode: 0o700 });
  if (home.user) await chown(home.data, home.user.uid, home.user.gid);
  await must(context, home, home.initdb, [
    `--pgdata=${home.data}`,
    '--username=postgres',
    '--auth=reject',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-sync',
  ]);
  await appendFile(join(home.data, 'postgresql.conf'), SETTINGS);
  await writeFile(join(home.data, 'pg_hba.conf'), 'host all slipway 127.0.0.1/32 scram-sha-256\n');
  const statements = [
    `CREATE ROLE slipway LOGIN CREATEDB CREATEROLE PASSWORD '${password}';`,
    'CREATE DATABASE slipway OWNER slipway;',
  ];
  const args = ['--single', '-D', home.data, 'postgres'];
  await must(context, home, home.postgres, args, `${statements.join('\n')}\n`);
}

async function must(
  context: PartContext,
  home: PostgresHome,
  file: string,
  args: string[],
  input?: string,
): Promise<void> {
  const result = await run(file, args, {
    env: context.env,
    cwd: home.data,
    timeoutMs: 60_000,
    ...(input === undefined ? {} : { input }),
    ...userOf(home.user),
  });
  // Single-user mode exits with 0 whatever became of the statements.
  if (result.exitCode !== 0 || /^.*(ERROR|FATAL):/m.test(result.stderr)) {
    throw new Error(`preparing PostgreSQL with ${file}: ${result.stderr.slice(-2_000)}`);
  }
}

function userOf(user: ProcessUser | undefined) {
  return user === undefined ? {} : { user };
}
