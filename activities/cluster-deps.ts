import type { Mirror } from '../src/adapters/git/mirror.ts';
import type { Helmfile } from '../src/adapters/helmfile/helmfile.ts';
import type { Released } from '../src/adapters/kubernetes/workloads.ts';
import type { HelmRelease } from '../src/adapters/kubernetes/helm-releases.ts';
import type { EnvironmentLease } from '../src/adapters/kubernetes/lease.ts';
import type { HealthSink } from '../src/contract/health-sink.ts';
import type { LogSink } from '../src/contract/log-sink.ts';
import type { PlanSink } from '../src/contract/plan-sink.ts';
import type { DeploymentRef, EnvironmentRef } from '../src/contract/workflow/payloads.ts';
import type { ServiceDiff } from '../src/domain/diff/plan-diff.ts';
import type { NotLookedAt } from '../src/domain/drift/report.ts';
import type { PodIdentity, ProcessIdentity } from '../src/domain/lease.ts';
import type { RestartTarget } from '../src/domain/restart.ts';
import type { HelmReleaseFacts } from '../src/domain/services.ts';
import type { EventFacts, LogTail } from '../src/domain/why/evidence.ts';
import type { WorkloadFacts } from '../src/domain/workload.ts';

/** What the activities of a cluster are given; src/main makes it from the adapters. */
export interface ClusterDeps {
  mirror: (repository: string) => Mirror;
  /** A fresh workspace with the commit checked out, removed when the work ends. */
  withHelmfile: <T>(
    deployment: DeploymentRef,
    attempt: number,
    signal: AbortSignal,
    work: (helmfile: Helmfile) => Promise<T>,
  ) => Promise<T>;
  cluster: (environment: EnvironmentRef) => ClusterView;
  /** Keyed digest of texts that may hold secrets. */
  digest: (deployment: DeploymentRef, texts: readonly string[]) => string;
  settings: (deployment: DeploymentRef) => PlanSettings;
  /** Compares two manifests of a service; without secrets in the answer. */
  diff: (
    deployment: DeploymentRef,
    manifests: { service: string; rendered: string; live: string },
  ) => ServiceDiff;
  logs: LogSink;
  plans: PlanSink;
  health: HealthSink;
  /** Hides the secrets of this worker in a text. */
  redact: (text: string) => string;
  processes: ProcessDeps;
}

/** What slipway.yaml says about an environment's plans. */
interface PlanSettings {
  chartRanges: 'hold' | 'follow';
  prune: boolean;
  restart: readonly string[];
}

/** What is known of processes of this place, to prove that a holder is dead. */
interface ProcessDeps {
  me: ProcessIdentity;
  isRunning: (process: ProcessIdentity) => boolean;
  /** Ends every process that carries the mark of an attempt, and returns when none is left. */
  endLeftovers: (attempt: string) => Promise<unknown>;
}

/** What is asked of a cluster's API server about one namespace. */
export interface ClusterView {
  checkNamespace: () => Promise<void>;
  helmReleases: () => Promise<HelmRelease[]>;
  /** Every revision that Helm still has of these services. */
  helmHistory: (services: readonly string[]) => Promise<HelmReleaseFacts[]>;
  /** What the newest revisions of these services applied, hooks included; absent where there is none. */
  manifests: (services: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  /** The workloads whose replicas an autoscaler decides, such as `Deployment/api`. */
  autoscaled: () => Promise<ReadonlySet<string>>;
  /** Compares the live objects of a service with its manifest, by dry runs; without secrets in the answer. */
  drift: (looked: {
    service: string;
    manifest: string;
    autoscaled: ReadonlySet<string>;
  }) => Promise<{ diff: ServiceDiff; notLookedAt: NotLookedAt[] }>;
  /** The workloads that these Helm releases declare. */
  workloads: (released: readonly Released[]) => Promise<WorkloadFacts[]>;
  /** Replaces the pods of these workloads, once for each mark; all of them or none. */
  restart: (workloads: readonly RestartTarget[], mark: string) => Promise<void>;
  /** What Kubernetes told lately about objects of these names, oldest first. */
  events: (names: readonly string[]) => Promise<EventFacts[]>;
  /** The end of a container's log, of its previous run where there was one. */
  lastLines: (pod: string, container: string) => Promise<LogTail | undefined>;
  lease: Pick<EnvironmentLease, 'look' | 'hold'>;
  /** Whether this very pod is certainly gone; false when that cannot be told. */
  isPodGone: (pod: PodIdentity) => Promise<boolean>;
  markHelmRevisionFailed: (
    release: { service: string; helmRevision: number },
    because: string,
  ) => Promise<void>;
  /** Names what it changed. */
  supersedeOlderRevisions: () => Promise<string[]>;
}
