import { openDatabase } from '../adapters/postgres/database.ts';
import { migrateToLatest } from '../adapters/postgres/migrate.ts';
import { createStore } from '../adapters/postgres/store.ts';
import type { TokenPerson } from '../adapters/postgres/tokens.ts';
import { ensureSearchAttributes } from '../adapters/temporal/namespace.ts';
import { loadConfig } from '../config/load.ts';
import { resolveSecrets } from '../config/secrets.ts';
import { Refusal } from '../domain/errors.ts';

/** Brings the configured database and Temporal's namespace to what this version needs; says what it did. */
export async function migrateConfigured(configFile: string): Promise<string[]> {
  const migrations = await migrateToLatest(await databaseUrl(configFile));
  const { temporal } = await loadConfig(configFile);
  const attributes = await ensureSearchAttributes(temporal);
  return [...migrations, ...attributes.map((name) => `search attribute ${name}`)];
}

/** A machine's token, a person's, or that of a cluster's worker. */
interface NewToken {
  name: string;
  person?: TokenPerson;
  cluster?: string;
}

/** Makes a token for the API of the configured instance. */
export async function createConfiguredToken(configFile: string, token: NewToken): Promise<string> {
  const { cluster } = token;
  const { clusters } = await loadConfig(configFile);
  if (cluster !== undefined && !clusters.has(cluster)) {
    const known = [...clusters.keys()].join(', ');
    throw new Refusal('not-found', `There is no cluster "${cluster}"; known: ${known}.`);
  }
  return createToken(await databaseUrl(configFile), token);
}

/** Makes a token for the API, or for a cluster's worker; it is shown this once. */
export async function createToken(url: string, token: NewToken): Promise<string> {
  const database = openDatabase({ url, connectionsMax: 1, onConnectionLost: () => undefined });
  try {
    return (await createStore(database.db).tokens.create(token)).token;
  } finally {
    await database.close();
  }
}

async function databaseUrl(configFile: string): Promise<string> {
  return resolveSecrets(await loadConfig(configFile), { role: 'server' }).databaseUrl;
}
