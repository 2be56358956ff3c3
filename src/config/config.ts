import type { RetryPolicy } from '../domain/backoff.ts';
import type { ApprovalPolicy } from '../domain/gates/facts.ts';
import type { RolloutPolicy } from '../domain/rollout.ts';
import type { FreezeWindow } from './freeze-calendar.ts';

/** The valid configuration. Maps, not objects: names come from outside, and one may be `constructor`. */
export interface Config {
  /** The file it was read from, for messages. */
  file: string;
  server: ServerConfig;
  database: { url: SecretRef };
  temporal: { address: string; namespace: string };
  dataDir: string;
  clusters: ReadonlyMap<string, ClusterConfig>;
  repositories: ReadonlyMap<string, RepositoryConfig>;
}

interface ServerConfig {
  /** Without a slash at its end. */
  url: string;
  listen: { host: string; port: number };
  inbox: { keepDays: number };
}

export interface ClusterConfig {
  name: string;
  access:
    | { kind: 'server'; server: string; certificateAuthorityFile?: string }
    | { kind: 'kubeconfig'; file: string; context: string };
  /** For environments without a token of their own. */
  token?: SecretRef;
  /** With which the cluster's worker hands logs and plans to the server; only the worker needs it. */
  workerToken?: SecretRef;
}

export interface RepositoryConfig {
  name: string;
  url: string;
  branch: string;
  /** How often the head is looked at; without it webhooks alone tell. */
  pollMs?: number;
  /** Without it the branch is polled only. */
  forge?: ForgeConfig;
  environments: ReadonlyMap<string, EnvironmentConfig>;
  /** Where the versions of a version key are published. */
  versionSources: ReadonlyMap<string, VersionSource>;
}

export type VersionSource = { git: string } | { image: string };

export interface ForgeConfig {
  type: 'github';
  /** One, or two while one replaces the other. */
  webhookSecrets: readonly SecretRef[];
  token?: SecretRef;
}

export interface EnvironmentConfig {
  name: string;
  repository: string;
  cluster: string;
  namespace: string;
  tier: 'notprod' | 'prod';
  /** `observe`: plans and applies nothing, and compares with what another pipeline does. */
  mode: 'deploy' | 'observe';
  /** Environments of its repository that must succeed first in a release. */
  after: readonly string[];
  /** What must be healthy with the same versions first. */
  waitsFor: readonly Dependency[];
  token?: SecretRef;
  variables: ReadonlyMap<string, string | SecretRef>;
  /** Service to version key, where they differ. */
  versionKeys: ReadonlyMap<string, string>;
  /** What the default isolation refuses and this environment may do. */
  allow: readonly string[];
  /** Absent: nobody needs to approve. */
  approval?: ApprovalPolicy;
  freeze: readonly FreezeWindow[];
  retry: RetryPolicy;
  rollout: RolloutPolicy;
  /** Whether what a failed deployment changed is taken back. */
  onFailure: 'stop' | 'rollback';
  /** Workloads that are restarted after an apply, such as `deployment/frontend`. */
  restart: readonly string[];
  /** Whether a newer commit takes the place of a deployment that is applied and being verified. */
  overtakeVerifying: boolean;
  /** Whether a chart that moved within its range is released by itself. */
  chartRanges: 'hold' | 'follow';
  /** How often drift is looked for; absent: not by itself. */
  driftMs?: number;
  /** Uninstalls what Slipway deployed and the repository no longer declares. */
  prune: boolean;
}

/** An environment that must have been healthy with the same versions for a time. */
interface Dependency {
  repository: string;
  environment: string;
  soakMs: number;
}

/** Where a secret is found, and where the configuration says so. It is read by `resolveSecrets` only. */
export interface SecretRef {
  source: { env: string } | { file: string };
  /** The key in the configuration. */
  path: string;
  line: number;
  column: number;
}
