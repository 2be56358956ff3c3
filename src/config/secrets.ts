import type { Config, EnvironmentConfig } from './config.ts';
import { ConfigError, inOrder } from './problems.ts';
import { SecretReader } from './secret-reader.ts';

export type Role =
  | { role: 'server' }
  | { role: 'worker'; cluster: string }
  | { role: 'plan'; repository: string; environment: string };

export interface ServerSecrets {
  databaseUrl: string;
  /** By repository; a signature by any of them is good. */
  webhookSecrets: ReadonlyMap<string, readonly string[]>;
  /** By repository; opens its forge's API and its git URL over https. */
  forgeTokens: ReadonlyMap<string, string>;
  /** Every value above, for the redactor. */
  values: readonly string[];
}

export interface WorkerSecrets {
  /** Signs it in to the server. */
  workerToken: string;
  /** By {@link environmentKey}: the environments of this cluster only. */
  environments: ReadonlyMap<string, EnvironmentSecrets>;
  /** By repository; those with an environment on this cluster. */
  forgeTokens: ReadonlyMap<string, string>;
  /** Every secret value above, for the redactor; variables in plain text are none. */
  values: readonly string[];
}

/** What a person's plan of one environment needs: no server. */
export type PlanSecrets = Omit<WorkerSecrets, 'workerToken'>;

export interface EnvironmentSecrets {
  /** The environment's own token, else its cluster's. */
  token?: string;
  /** All its variables, those in plain text too. */
  variables: Readonly<Record<string, string>>;
}

/** The key of an environment in {@link WorkerSecrets}; names hold no slash. */
export function environmentKey(repository: string, environment: string): string {
  return `${repository}/${environment}`;
}

/**
 * Reads the secrets of one role, and of no other, from the environment and from files.
 * Throws one {@link ConfigError} that names everything missing or unusable, never a value.
 */
export function resolveSecrets(
  config: Config,
  role: { role: 'server' },
  env?: NodeJS.ProcessEnv,
): ServerSecrets;
export function resolveSecrets(
  config: Config,
  role: { role: 'worker'; cluster: string },
  env?: NodeJS.ProcessEnv,
): WorkerSecrets;
export function resolveSecrets(
  config: Config,
  role: { role: 'plan'; repository: string; environment: string },
  env?: NodeJS.ProcessEnv,
): PlanSecrets;
export function resolveSecrets(
  config: Config,
  role: Role,
  env: NodeJS.ProcessEnv = process.env,
): ServerSecrets | WorkerSecrets | PlanSecrets {
  const reader = new SecretReader(config.file, env);
  const secrets = secretsOf(config, role, reader);
  if (reader.problems.length > 0) throw new ConfigError(inOrder(reader.problems));
  return { ...secrets, values: [...reader.values] };
}

function secretsOf(config: Config, role: Role, reader: SecretReader) {
  switch (role.role) {
    case 'server':
      return serverSecrets(config, reader);
    case 'worker':
      return {
        ...clusterSecrets(config, role.cluster, () => true, reader),
        workerToken: workerToken(config, role.cluster, reader),
      };
    case 'plan': {
      const { repository, environment } = role;
      const found = config.repositories.get(repository)?.environments.get(environment);
      const isAsked = (one: EnvironmentConfig) =>
        one.repository === repository && one.name === environment;
      return clusterSecrets(config, found?.cluster ?? '', isAsked, reader);
    }
  }
}

function serverSecrets(config: Config, reader: SecretReader): Omit<ServerSecrets, 'values'> {
  const repositories = [...config.repositories.values()];
  return {
    databaseUrl: reader.read(config.database.url, { bytesMin: 1 }),
    webhookSecrets: new Map(
      repositories.flatMap(({ name, forge }) =>
        forge ? [[name, forge.webhookSecrets.map((ref) => reader.read(ref))] as const] : [],
      ),
    ),
    forgeTokens: forgeTokens(config, () => true, reader),
  };
}

function clusterSecrets(
  config: Config,
  clusterName: string,
  isWanted: (environment: EnvironmentConfig) => boolean,
  reader: SecretReader,
): Omit<PlanSecrets, 'values'> {
  const cluster = config.clusters.get(clusterName);
  if (cluster === undefined) {
    const message = `there is no cluster "${clusterName}"`;
    const fix = `known: ${[...config.clusters.keys()].join(', ')}`;
    throw new ConfigError([
      { file: config.file, line: 1, column: 1, path: 'clusters', message, fix },
    ]);
  }
  const clusterToken = cluster.token && reader.read(cluster.token);
  const environments = [...config.repositories.values()]
    .flatMap((repository) => [...repository.environments.values()])
    .filter((environment) => environment.cluster === clusterName && isWanted(environment));
  const repositories = new Set(environments.map(({ repository }) => repository));
  return {
    environments: new Map(
      environments.map((environment) => [
        environmentKey(environment.repository, environment.name),
        environmentSecrets(environment, clusterToken, reader),
      ]),
    ),
    forgeTokens: forgeTokens(config, (repository) => repositories.has(repository), reader),
  };
}

function workerToken(config: Config, cluster: string, reader: SecretReader): string {
  const ref = config.clusters.get(cluster)?.workerToken;
  if (ref) return reader.read(ref);
  const message = `clusters.${cluster} has no workerToken, which its worker needs`;
  const fix = `make one with \`slipway token <name> --worker ${cluster}\``;
  reader.problems.push({ file: config.file, line: 1, column: 1, path: 'clusters', message, fix });
  return '';
}

function environmentSecrets(
  { token, variables }: EnvironmentConfig,
  clusterToken: string | undefined,
  reader: SecretReader,
): EnvironmentSecrets {
  const ownToken = token ? reader.read(token) : clusterToken;
  return {
    ...(ownToken === undefined ? {} : { token: ownToken }),
    variables: Object.fromEntries(
      [...variables].map(([name, value]) => [
        name,
        typeof value === 'string' ? value : reader.read(value),
      ]),
    ),
  };
}

function forgeTokens(
  config: Config,
  isWanted: (repository: string) => boolean,
  reader: SecretReader,
): ReadonlyMap<string, string> {
  return new Map(
    [...config.repositories.values()].flatMap(({ name, forge }) =>
      forge?.token && isWanted(name) ? [[name, reader.read(forge.token)] as const] : [],
    ),
  );
}
