import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ClusterDeps, ClusterView } from '../../activities/cluster-deps.ts';
import { diffService } from '../adapters/helmfile/diff.ts';
import { Evaluations } from '../adapters/helmfile/evaluations.ts';
import { Helmfile } from '../adapters/helmfile/helmfile.ts';
import { withWorkspace } from '../adapters/helmfile/workspace.ts';
import {
  CONTEXT,
  readKubeconfig,
  writeKubeconfig,
  type ClusterAccess,
} from '../adapters/kubernetes/access.ts';
import { listAutoscaled } from '../adapters/kubernetes/autoscaled.ts';
import { openKubernetes } from '../adapters/kubernetes/client.ts';
import { lookForDrift } from '../adapters/kubernetes/drift.ts';
import { listEvents } from '../adapters/kubernetes/events.ts';
import {
  markHelmRevisionFailed,
  supersedeOlderRevisions,
} from '../adapters/kubernetes/helm-heal.ts';
import {
  checkNamespace,
  listHelmHistory,
  listHelmReleases,
  readManifests,
} from '../adapters/kubernetes/helm-releases.ts';
import { EnvironmentLease } from '../adapters/kubernetes/lease.ts';
import { LiveObjects } from '../adapters/kubernetes/live-objects.ts';
import { readLastLines } from '../adapters/kubernetes/logs.ts';
import { isPodGone } from '../adapters/kubernetes/pods.ts';
import { restartWorkloads } from '../adapters/kubernetes/restart.ts';
import { listWorkloads } from '../adapters/kubernetes/workloads.ts';
import { isRunning, ownIdentity } from '../adapters/process/identity.ts';
import { STRAYS, sweepAttempts } from '../adapters/process/sweep.ts';
import type { Config } from '../config/config.ts';
import { environmentKey, type EnvironmentSecrets, type PlanSecrets } from '../config/secrets.ts';
import type { LogSink } from '../contract/log-sink.ts';
import type { HealthSink } from '../contract/health-sink.ts';
import type { PlanSink } from '../contract/plan-sink.ts';
import type { EnvironmentRef } from '../contract/workflow/payloads.ts';
import { SlipwayError } from '../domain/errors.ts';
import type { PodIdentity } from '../domain/lease.ts';
import type { GrowingRedactor } from '../domain/redact/growing.ts';
import { createMirrors } from './mirrors.ts';
import { readOnlyView } from './read-only.ts';

export interface ClusterDepsOptions {
  config: Config;
  cluster: string;
  /** How the cluster is reached, before an environment's own token and namespace. */
  access: Omit<ClusterAccess, 'namespace'>;
  secrets: PlanSecrets;
  /** Folder of this worker. */
  folder: string;
  tools: { helm: string; helmfile: string };
  /** The pod of this worker, where it is one of the cluster. */
  pod?: PodIdentity;
  logs: LogSink;
  plans: PlanSink;
  health: HealthSink;
  redactor: GrowingRedactor;
}

/** Gives the activities of one cluster what they need, from the adapters. */
export function createClusterDeps(options: ClusterDepsOptions): ClusterDeps {
  const { config, secrets, folder, tools, redactor } = options;
  const { text: redact } = redactor;
  const mirror = createMirrors(config, secrets.forgeTokens, folder);

  const secretsOf = ({ repository, environment }: EnvironmentRef): EnvironmentSecrets => {
    const found = secrets.environments.get(environmentKey(repository, environment));
    if (found) return found;
    throw new SlipwayError(
      'repository-refused',
      `${repository}/${environment} is not configured on cluster "${options.cluster}".`,
    );
  };
  const accessOf = (deployment: EnvironmentRef): ClusterAccess => {
    const { token } = secretsOf(deployment);
    const { namespace } = deployment;
    return { ...options.access, namespace, ...(token === undefined ? {} : { token }) };
  };

  const isObserved = ({ repository, environment }: EnvironmentRef) =>
    config.repositories.get(repository)?.environments.get(environment)?.mode === 'observe';

  const evaluations = new Evaluations();

  // A Lease is silent only for who has looked at it before.
  const leaseOf = keptByNamespace((environment) => new EnvironmentLease(accessOf(environment)));
  const apiOf = keptByNamespace((environment) => openKubernetes(accessOf(environment)));
  const liveObjectsOf = keptByNamespace((environment) => LiveObjects.open(accessOf(environment)));

  return {
    mirror,
    processes: {
      me: { ...ownIdentity(), ...(options.pod ? { pod: options.pod } : {}) },
      isRunning,
      endLeftovers: (attempt) => sweepAttempts({ attempt }),
    },
    logs: options.logs,
    plans: options.plans,
    health: options.health,
    redact,
    withHelmfile: (deployment, attempt, signal, work) => {
      const { cluster, namespace, deploymentId, environment, repository, commit } = deployment;
      const name = `${environment}-${deploymentId}-${attempt}`;
      const { allow = [] } =
        config.repositories.get(repository)?.environments.get(environment) ?? {};
      const place = { dataDir: folder, cluster, namespace, name, tools, allow };
      return withWorkspace(place, async (workspace) => {
        await mirror(repository).checkout(commit, workspace.tree, signal);
        await writeKubeconfig(workspace.kubeconfig, accessOf(deployment));
        const helmfile = new Helmfile({
          workspace,
          environment,
          namespace,
          kubeContext: CONTEXT,
          variables: secretsOf(deployment).variables,
          attempt: `${deploymentId}/${attempt}`,
          signal,
          redactor,
          evaluations,
          readOnly: isObserved(deployment),
        });
        try {
          return await work(helmfile);
        } finally {
          // What left its process group, as daemons do, is not reached by the end of the group.
          await sweepAttempts({ folder: workspace.root }, STRAYS);
        }
      });
    },
    cluster: (deployment) => {
      const api = apiOf(deployment);
      const { namespace, environment } = deployment;
      const view: ClusterView = {
        checkNamespace: () => checkNamespace(api, namespace),
        helmReleases: () => listHelmReleases(api, namespace),
        helmHistory: (services) => listHelmHistory(api, namespace, services),
        manifests: (services) => readManifests(api, namespace, services),
        autoscaled: () => listAutoscaled(api, namespace),
        drift: (looked) =>
          lookForDrift(liveObjectsOf(deployment), { ...looked, namespace, redact }),
        workloads: (released) => listWorkloads(api, namespace, released),
        restart: (workloads, mark) => restartWorkloads(api, namespace, workloads, mark),
        events: (names) => listEvents(api, namespace, names),
        lastLines: (pod, container) => readLastLines(api, namespace, pod, container),
        lease: leaseOf(deployment),
        isPodGone: (pod) => isPodGone(api, pod),
        markHelmRevisionFailed: (release, because) =>
          markHelmRevisionFailed(api, namespace, release, because),
        supersedeOlderRevisions: () => supersedeOlderRevisions(api, namespace),
      };
      return isObserved(deployment) ? readOnlyView(view, environment) : view;
    },
    settings: ({ repository, environment }) => {
      const found = config.repositories.get(repository)?.environments.get(environment);
      const { chartRanges = 'hold', prune = false, restart = [] } = found ?? {};
      return { chartRanges, prune, restart };
    },
    diff: ({ namespace }, { service, rendered, live }) =>
      diffService(rendered, live, { service, namespace, redact }),
    digest: (deployment, texts) => {
      // The key is what every worker of the cluster has and the store has not: a digest in the store
      // tells nothing about the secrets behind it.
      const { token, clientCertificate } = accessOf(deployment);
      const hmac = createHmac('sha256', token ?? clientCertificate?.key ?? '');
      for (const text of texts) hmac.update(text).update('\0');
      return hmac.digest('hex');
    },
  };
}

/** Made at its first use and kept, with what it knows and the connections that it has. */
function keptByNamespace<T>(
  make: (environment: EnvironmentRef) => T,
): (environment: EnvironmentRef) => T {
  const kept = new Map<string, T>();
  return (environment) => {
    const { namespace } = environment;
    const found = kept.get(namespace) ?? make(environment);
    kept.set(namespace, found);
    return found;
  };
}

/** Reads how a configured cluster is reached; its own token, if any, is among the secrets. */
export async function clusterAccess(
  config: Config,
  name: string,
): Promise<Omit<ClusterAccess, 'namespace'>> {
  const cluster = config.clusters.get(name);
  if (!cluster) throw new SlipwayError('cluster-auth', `cluster "${name}" is not configured`);
  const { access } = cluster;
  if (access.kind === 'kubeconfig') return readKubeconfig(access.file, access.context);
  const { server, certificateAuthorityFile: file } = access;
  return { server, ...(file ? { certificateAuthority: await readFile(file, 'utf8') } : {}) };
}
