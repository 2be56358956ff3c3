import type {
  ClusterConfig,
  Config,
  EnvironmentConfig,
  ForgeConfig,
  RepositoryConfig,
  SecretRef,
} from './config.ts';
import { parseDuration } from './duration.ts';
import { parsePlace } from './place.ts';
import type { Positions } from './positions.ts';
import { formatPath, type Path } from './problems.ts';
import type { RawSecret } from './schema-parts.ts';
import type {
  RawCluster,
  RawConfig,
  RawEnvironment,
  RawFollowed,
  RawForge,
  RawRepository,
} from './schema.ts';

/** Turns what passed the schema and the rules into the words of the domain, with every default. */
export function toConfig(raw: RawConfig, file: string, positions: Positions): Config {
  const secret = (path: Path, value: RawSecret) => toSecret(path, value, positions);
  return {
    file,
    server: {
      url: raw.server.url.replace(/\/+$/, ''),
      listen: toListen(raw.server.listen ?? '127.0.0.1:8080'),
      inbox: { keepDays: raw.server.inbox?.keepDays ?? 30 },
    },
    database: { url: secret(['database', 'url'], raw.database.url) },
    temporal: {
      address: raw.temporal.address,
      namespace: raw.temporal.namespace ?? 'slipway',
    },
    dataDir: raw.dataDir,
    clusters: mapEntries(raw.clusters, (name, cluster) => toCluster(name, cluster, secret)),
    repositories: mapEntries(raw.repositories, (name, repository) =>
      toRepository(name, repository, secret),
    ),
  };
}

type ToSecret = (path: Path, value: RawSecret) => SecretRef;

function toCluster(name: string, raw: RawCluster, secret: ToSecret): ClusterConfig {
  const workerToken = raw.workerToken && {
    workerToken: secret(['clusters', name, 'workerToken'], raw.workerToken),
  };
  if (raw.kubeconfig !== undefined) {
    return { name, access: { kind: 'kubeconfig', ...raw.kubeconfig }, ...workerToken };
  }
  const authority = raw.certificateAuthority;
  return {
    name,
    access: {
      kind: 'server',
      // rules.ts has seen that it is there.
      server: raw.server ?? '',
      ...(authority && { certificateAuthorityFile: authority.file }),
    },
    ...(raw.token && { token: secret(['clusters', name, 'token'], raw.token) }),
    ...workerToken,
  };
}

function toRepository(name: string, raw: RawRepository, secret: ToSecret): RepositoryConfig {
  const path = ['repositories', name];
  return {
    name,
    url: raw.url,
    branch: raw.branch ?? 'main',
    ...(raw.poll === 'off' ? {} : { pollMs: milliseconds(raw.poll ?? '60s') }),
    ...(raw.forge && { forge: toForge([...path, 'forge'], raw.forge, secret) }),
    environments: mapEntries(raw.environments, (environment, value) =>
      toEnvironment(name, environment, { mode: raw.mode ?? 'deploy', ...value }, secret),
    ),
    versionSources: mapEntries(raw.versionSources ?? {}, (_key, { git, image }) =>
      // The schema lets exactly one of them through.
      git === undefined ? { image: image ?? '' } : { git },
    ),
  };
}

function toForge(path: Path, raw: RawForge, secret: ToSecret): ForgeConfig {
  const at = [...path, 'webhookSecret'];
  return {
    type: raw.type,
    webhookSecrets: Array.isArray(raw.webhookSecret)
      ? raw.webhookSecret.map((value, index) => secret([...at, index], value))
      : [secret(at, raw.webhookSecret)],
    ...(raw.token && { token: secret([...path, 'token'], raw.token) }),
  };
}

function toEnvironment(
  repository: string,
  name: string,
  raw: RawEnvironment & Pick<EnvironmentConfig, 'mode'>,
  secret: ToSecret,
): EnvironmentConfig {
  const path = ['repositories', repository, 'environments', name];
  return {
    name,
    repository,
    cluster: raw.cluster,
    namespace: raw.namespace ?? name,
    tier: raw.tier ?? 'notprod',
    mode: raw.mode,
    ...toOrder(repository, raw.after ?? []),
    ...(raw.token && { token: secret([...path, 'token'], raw.token) }),
    variables: mapEntries(raw.variables ?? {}, (variable, value) =>
      typeof value === 'string' ? value : secret([...path, 'variables', variable], value),
    ),
    versionKeys: new Map(Object.entries(raw.versionKeys ?? {})),
    allow: raw.allow ?? [],
    ...(raw.approval && { approval: toApproval(raw.approval) }),
    freeze: raw.freeze ?? [],
    retry: {
      attempts: raw.retry?.attempts ?? 3,
      backoffMs: milliseconds(raw.retry?.backoff ?? '30s'),
      limitMs: milliseconds(raw.retry?.limit ?? '10m'),
    },
    rollout: {
      timeoutMs: milliseconds(raw.rollout?.timeout ?? '10m'),
      soakMs: milliseconds(raw.rollout?.soak ?? '30s'),
      restartsMax: raw.rollout?.restarts ?? 5,
    },
    onFailure: raw.onFailure ?? 'stop',
    restart: raw.restart ?? [],
    overtakeVerifying: raw.overtakeVerifying ?? false,
    chartRanges: raw.chartRanges ?? 'hold',
    ...(raw.drift === 'off' ? {} : { driftMs: milliseconds(raw.drift ?? '15m') }),
    prune: raw.prune ?? false,
  };
}

/** What must succeed first in a release, and what must be healthy with the same versions. */
function toOrder(
  own: string,
  raw: readonly RawFollowed[],
): Pick<EnvironmentConfig, 'after' | 'waitsFor'> {
  const written = raw.map((followed) => {
    const { environment, soak } =
      typeof followed === 'string' ? { environment: followed } : followed;
    return { ...parsePlace(environment, own), soakMs: milliseconds(soak ?? '0s') };
  });
  return {
    after: written.flatMap(({ repository, environment }) =>
      repository === own ? [environment] : [],
    ),
    waitsFor: written.filter(({ repository, soakMs }) => repository !== own || soakMs > 0),
  };
}

function toApproval({ count, from, expires }: NonNullable<RawEnvironment['approval']>) {
  return {
    count: count ?? 1,
    from: from ?? [],
    ...(expires === undefined ? {} : { expiresMs: milliseconds(expires) }),
  };
}

function toSecret(path: Path, { env, file }: RawSecret, positions: Positions): SecretRef {
  const { line, column } = positions.ofPath(path, 'value');
  const source = env === undefined ? { file: file ?? '' } : { env };
  return { source, path: formatPath(path), line, column };
}

function toListen(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(':');
  // Node wants an IPv6 address without its brackets.
  const host = text.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(text.slice(colon + 1)) };
}

function milliseconds(text: string): number {
  const duration = parseDuration(text);
  if (duration === undefined) throw new Error(`the schema let a wrong duration pass: ${text}`);
  return duration;
}

function mapEntries<T, U>(
  entries: Readonly<Record<string, T>>,
  convert: (name: string, value: T) => U,
): ReadonlyMap<string, U> {
  return new Map(Object.entries(entries).map(([name, value]) => [name, convert(name, value)]));
}
