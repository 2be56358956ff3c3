import type { CauseReport } from '../cause.ts';
import type { HelmReleaseFacts } from '../services.ts';
import { dependencyMove } from './chart-dependencies.ts';

/** Which chart a range resolves to; absent where nobody can know before the apply. */
interface ChartFacts {
  chartVersion?: string;
  /** What the repository or registry calls the content of that version, or of what a local chart depends on. */
  chartDigest?: string;
}

/** What the commit declares of one service, reduced to what a plan compares. */
export interface DeclaredService extends ChartFacts {
  name: string;
  /** Declared as `installed: false`. */
  removed: boolean;
  /** Keyed digest over its evaluated input and the files it refers to; the chart's version is apart. */
  fingerprint: string;
  /** Why equal fingerprints do not prove equal input, such as a reference that only the apply resolves. */
  notUnderstood?: string;
}

/** What is remembered of a service: its last success, and its last failure where that came later. */
export interface RecordedService extends ChartFacts {
  name: string;
  /** Of the last successful deployment, with the Helm revision that it left. */
  fingerprint?: string;
  helmRevision?: number;
  /** Whether the last deployment of the service failed; `failed` holds its input where that is to blame. */
  lastEnd: 'succeeded' | 'failed';
  failed?: ChartFacts & { fingerprint: string; cause: CauseReport };
  /** The commit of the last success, and its deployment. */
  commit?: string;
  deploymentId?: string;
}

type PlanReason =
  | 'not installed'
  | 'forced'
  | 'pending'
  | 'last attempt failed'
  | 'changed outside Slipway'
  | 'not understood'
  | 'input changed'
  | 'chart moved'
  | 'uninstall';

export type ServiceState =
  | { name: string; state: 'unchanged' }
  /** It failed with this very input, which nobody has changed or asked to try again. */
  | { name: string; state: 'blocked'; cause: CauseReport }
  /** In the store and the cluster, but no longer declared. */
  | { name: string; state: 'orphaned' }
  | ChangedService;

export interface ChangedService {
  name: string;
  state: 'changed';
  reason: PlanReason;
  /** The reason for people, such as `chart moved 6.1.1 → 6.2.0`. */
  note: string;
  /** With equal manifests it is recorded without an upgrade. */
  adoptable: boolean;
  /** Starts an apply by itself; what does not joins one that starts for another reason. */
  starts: boolean;
  uninstall: boolean;
}

export interface PlanQuestion {
  declared: readonly DeclaredService[];
  recorded: readonly RecordedService[];
  /** The newest revision of each Helm release of the namespace. */
  helmReleases: readonly HelmReleaseFacts[];
  /** A person asked: what failed before is tried again. */
  manual: boolean;
  /** Every service, also what looks unchanged. */
  force: boolean;
  /** Whether a chart that moved within its range starts an apply by itself. */
  chartRanges: 'hold' | 'follow';
  /** Removes what is no longer declared. */
  prune: boolean;
  /** Nobody remembers: what is deployed is compared by its manifest, whoever deployed it. */
  withoutMemory?: boolean;
}

/**
 * Says for each service whether it must be applied, and why, without rendering anything. Unchanged is
 * only what has the input of its last success and whose newest Helm revision is the one that success
 * left, deployed: everything else counts as changed.
 */
export function assessServices(question: PlanQuestion): ServiceState[] {
  const { declared, recorded, helmReleases } = question;
  const releaseOf = new Map(helmReleases.map((release) => [release.service, release]));
  const recordOf = new Map(recorded.map((record) => [record.name, record]));
  const states = declared.flatMap((service): ServiceState[] => {
    const release = releaseOf.get(service.name);
    if (!service.removed) {
      return [assess(service, recordOf.get(service.name), release, question)];
    }
    return release ? [uninstall(service.name, 'installed: false')] : [];
  });
  const names = new Set(declared.map(({ name }) => name));
  for (const { name } of recorded) {
    if (names.has(name) || !releaseOf.has(name)) continue;
    states.push(
      question.prune ? uninstall(name, 'no longer declared') : { name, state: 'orphaned' },
    );
  }
  return states;
}

function assess(
  service: DeclaredService,
  record: RecordedService | undefined,
  release: HelmReleaseFacts | undefined,
  question: PlanQuestion,
): ServiceState {
  const { name } = service;
  const changed = (
    reason: PlanReason,
    note: string = reason,
    { adoptable = false, starts = true } = {},
  ): ChangedService => ({
    name,
    state: 'changed',
    reason,
    note,
    adoptable: adoptable && !question.force,
    starts,
    uninstall: false,
  });

  if (question.force) return changed('forced');
  const failed = record?.failed;
  if (failed && !question.manual && sameInput(service, failed)) {
    return { name, state: 'blocked', cause: failed.cause };
  }
  if (!release || release.status === 'uninstalled') return changed('not installed');
  if (release.status !== 'deployed') {
    const isPending = release.status.startsWith('pending') || release.status === 'uninstalling';
    return changed(
      isPending ? 'pending' : 'last attempt failed',
      isPending ? `pending: Helm says ${release.status}` : 'last attempt failed',
    );
  }
  // The failure changed nothing, or was taken back: the last success runs.
  const isAsLeft = record?.helmRevision === release.helmRevision;
  const failedLast = record?.lastEnd === 'failed';
  const isTriedAgain = failed !== undefined && sameInput(service, failed);
  if (failedLast && (!isAsLeft || isTriedAgain)) return changed('last attempt failed');
  if (record?.fingerprint === undefined || !isAsLeft) {
    // Ours, but never seen healthy: equal manifests prove nothing.
    if (isOurs(release) && !question.withoutMemory) return changed('last attempt failed');
    return record?.fingerprint === undefined
      ? changed(
          'input changed',
          question.withoutMemory ? 'differs from what runs' : 'input changed: first seen here',
          { adoptable: true },
        )
      : changed(
          'changed outside Slipway',
          `changed outside Slipway: revision ${release.helmRevision} is not ours`,
          {
            adoptable: true,
            starts:
              service.fingerprint !== record.fingerprint || service.notUnderstood !== undefined,
          },
        );
  }
  const moved = chartMove(service, record);
  if (service.fingerprint !== record.fingerprint) {
    const note = moved === undefined ? 'input changed' : `input changed, ${moved}`;
    return changed('input changed', note, { adoptable: !failedLast });
  }
  if (service.notUnderstood !== undefined) {
    return changed('not understood', `not understood: ${service.notUnderstood}`, {
      adoptable: !failedLast,
    });
  }
  if (moved === undefined) return { name, state: 'unchanged' };
  const starts = question.chartRanges === 'follow';
  return changed('chart moved', moved, { adoptable: !failedLast, starts });
}

function uninstall(name: string, why: string): ChangedService {
  const note = `uninstall: ${why}`;
  return {
    ...{ name, state: 'changed', reason: 'uninstall', note, uninstall: true },
    ...{ adoptable: false, starts: true },
  };
}

/** Helm's labels pass on to later revisions, also those made by hand; the description does not. */
function isOurs({ description }: HelmReleaseFacts): boolean {
  return description.startsWith('slipway ');
}

function sameInput(service: DeclaredService, other: ChartFacts & { fingerprint: string }): boolean {
  return service.fingerprint === other.fingerprint && chartMove(service, other) === undefined;
}

/** How the chart moved since, for people; undefined when it is the same. */
function chartMove(now: ChartFacts, before: ChartFacts): string | undefined {
  if (now.chartVersion !== before.chartVersion) {
    return `chart moved ${before.chartVersion ?? 'unknown'} → ${now.chartVersion ?? 'unknown'}`;
  }
  if (now.chartDigest === before.chartDigest) return undefined;
  const dependency = dependencyMove(now.chartDigest ?? '', before.chartDigest ?? '');
  if (dependency !== undefined) return `chart moved: its dependency ${dependency}`;
  return `chart moved: ${now.chartVersion ?? 'it'} was published again with other content`;
}

/** What becomes of each service, once those that may be adopted were rendered and compared. */
export type Decision =
  | Exclude<ServiceState, ChangedService>
  | (ChangedService & {
      /** `record`: runs already what the commit says. `held`: changed, but starts nothing by itself. */
      action: 'apply' | 'uninstall' | 'record' | 'held';
    });

/** Services to render, because equal manifests would spare them an upgrade. */
export function servicesToCompare(
  states: readonly ServiceState[],
  { manual }: { manual: boolean },
): string[] {
  const changed = states.filter((state) => state.state === 'changed');
  const mayStart = manual || changed.some(({ starts }) => starts);
  return changed
    .filter(({ adoptable, reason }) => adoptable && (mayStart || reason !== 'chart moved'))
    .map(({ name }) => name);
}

/**
 * Decides what is done with each service.
 *
 * @param equal names of services whose rendered manifest is what runs
 */
export function decidePlan(
  states: readonly ServiceState[],
  equal: ReadonlySet<string>,
  { manual }: { manual: boolean },
): Decision[] {
  const differs = (state: ServiceState) =>
    state.state === 'changed' && !(state.adoptable && equal.has(state.name));
  const joins =
    manual || states.some((state) => state.state === 'changed' && state.starts && differs(state));
  return states.map((state): Decision => {
    if (state.state !== 'changed') return state;
    if (!differs(state)) return { ...state, action: 'record' };
    if (state.uninstall) return { ...state, action: 'uninstall' };
    return { ...state, action: state.starts || joins ? 'apply' : 'held' };
  });
}
