import type { FastifyBaseLogger } from 'fastify';
import type { Store } from '../adapters/postgres/store.ts';

/** A repository as the HTTP side needs it; the configuration's repositories have this and more. */
export interface ServedRepository {
  url: string;
  branch: string;
  /** How often the branch is looked at; absent where it is not. */
  pollMs?: number;
  /** Resolved; none means that no forge may report pushes. */
  webhookSecrets: readonly string[];
  environments: ReadonlyMap<string, { after: readonly string[] }>;
}

/** What the app is built from. */
export interface AppDependencies {
  store: Store;
  /** Asked for each request, because the configuration can be reloaded. */
  repositories: () => ReadonlyMap<string, ServedRepository>;
  git: {
    /** The commit at the tip of the configured branch. */
    head: (repository: string) => Promise<string>;
    /** The commit itself when it is on the configured branch. */
    resolve: (repository: string, commit: string) => Promise<string | undefined>;
  };
  orchestrator: {
    /** Cancels a run of a release, or one deployment of it; `not-running` when no workflow of it is on its way. */
    cancelRelease: (input: {
      repository: string;
      commit: string;
      run: number;
      by: string;
      deploymentId?: string;
    }) => Promise<'cancelling' | 'not-running'>;
    /** Tells the deployments that wait there to look at their gates again. */
    gatesChanged: (lanes: readonly { cluster: string; namespace: string }[]) => Promise<void>;
    /** Has somebody look for drift there now. */
    lookForDrift: (environment: {
      repository: string;
      environment: string;
      cluster: string;
      namespace: string;
    }) => Promise<void>;
  };
  /** What must answer before the process takes requests, by name; each throws when it does not. */
  checks: Readonly<Record<string, () => Promise<void>>>;
  logger?: FastifyBaseLogger;
  /** Addresses of proxies whose forwarding headers are believed; none by default. */
  trustProxy?: string[];
}
