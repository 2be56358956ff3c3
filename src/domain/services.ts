import type { CauseReport } from './cause.ts';
import type { WorkloadVerdict } from './rollout.ts';

/** One service that a deployment is going to apply. */
export interface PlannedService {
  name: string;
  chart: string;
  /** The exact version that the range resolved to; absent where it cannot be known before the apply. */
  chartVersion?: string;
  action?: 'install' | 'upgrade' | 'uninstall';
  /** Why it is planned, for people. */
  reason?: string;
  /** Keyed digest over its input, without the chart. */
  fingerprint?: string;
  chartDigest?: string;
  /** Its input differs each time it is read, so that it never counts as unchanged. */
  unstable?: true;
  /** The revision that runs before the apply. */
  helmRevision?: number;
}

/** The newest revision of a Helm release, as its Secret says. */
export interface HelmReleaseFacts {
  service: string;
  helmRevision: number;
  status: string;
  description: string;
  chartVersion: string;
  /** Stamped by the deployment that made the revision; a rollback carries those of its target. */
  deploymentId?: string;
  attempt?: number;
}

export interface ClusterFacts {
  helmReleases: readonly HelmReleaseFacts[];
  workloads: readonly WorkloadVerdict[];
}

interface ServiceProgress {
  service: string;
  state: 'waiting' | 'applying' | 'progressing' | 'healthy' | 'failed';
  note: string;
  /** It succeeded, and nothing of it runs until its schedule wakes it. */
  health?: 'asleep';
  /** Set when the newest revision is this deployment's. */
  helmRevision?: number;
}

export interface RolloutJudgement {
  state: 'progressing' | 'healthy' | 'failed';
  services: ServiceProgress[];
  /** The first definite failure, or while progressing the first trouble. */
  cause?: CauseReport;
}

/**
 * Judges the cluster while helm still works: failed only when at least one service is being applied and
 * every service that is being applied has definitely failed.
 */
export function judgeWhileApplying(
  planned: readonly PlannedService[],
  facts: ClusterFacts,
  made: { deploymentId: string; attempt: number },
): RolloutJudgement {
  const judged = planned.map(({ name, action, helmRevision }): Judged & { running?: true } => {
    const helmRelease = facts.helmReleases.find(({ service }) => service === name);
    if (action === 'uninstall') return judgeUninstall(name, helmRelease);
    if (helmRevision !== undefined && helmRelease && helmRelease.helmRevision > helmRevision) {
      const cause = takenBack(helmRelease);
      if (cause) return { service: name, state: 'failed', note: cause.sentence, cause };
    }
    const ours =
      helmRelease?.deploymentId === made.deploymentId && helmRelease.attempt === made.attempt;
    if (!ours) return { service: name, state: 'waiting' as const, note: 'not started yet' };
    if (!helmRelease.status.startsWith('pending')) {
      return settled(helmRelease, workloadsOf(name, facts));
    }
    const trouble = worst(workloadsOf(name, facts));
    return {
      service: name,
      state: trouble?.state === 'failed' ? ('failed' as const) : ('applying' as const),
      note: trouble?.trouble?.sentence ?? 'helm waits for the workloads',
      running: true,
      ...(trouble?.trouble ? { cause: trouble.trouble } : {}),
    };
  });
  const running = judged.filter((service) => 'running' in service);
  const gone = running.length > 0 && running.every(({ state }) => state === 'failed');
  return summary(gone ? 'failed' : 'progressing', judged);
}

/**
 * Judges the cluster after helm said it is done. A service succeeded only if its newest Helm revision
 * was made by this deployment, is `deployed`, holds the planned chart version, and its workloads are
 * healthy.
 */
export function judgeAfterApply(
  planned: readonly PlannedService[],
  facts: ClusterFacts,
  made: { deploymentId: string },
): RolloutJudgement {
  return judgeSettled(planned, facts, (service, helmRelease) =>
    revisionFault(service, helmRelease, made.deploymentId),
  );
}

/**
 * Judges what a rollback left: its revision is the newest, `deployed`, and its workloads are healthy.
 *
 * @param services with the revisions that the rollback made
 */
export function judgeTakenBack(
  services: readonly PlannedService[],
  facts: ClusterFacts,
): RolloutJudgement {
  return judgeSettled(services, facts, ({ name: service, helmRevision }, helmRelease) => {
    if (helmRelease && helmRelease.helmRevision === helmRevision) {
      return helmRelease.status === 'deployed' ? undefined : helmFailure(helmRelease);
    }
    const sentence = `${service} was changed by somebody while it was taken back.`;
    return { code: 'helm-failed', service, sentence };
  });
}

function judgeSettled(
  services: readonly PlannedService[],
  facts: ClusterFacts,
  faultOf: (
    service: PlannedService,
    helmRelease: HelmReleaseFacts | undefined,
  ) => CauseReport | undefined,
): RolloutJudgement {
  const judged = services.map((service) => {
    const helmRelease = facts.helmReleases.find((release) => release.service === service.name);
    if (service.action === 'uninstall') return judgeUninstall(service.name, helmRelease);
    const cause = faultOf(service, helmRelease);
    if (cause) {
      return { service: service.name, state: 'failed' as const, note: cause.sentence, cause };
    }
    // A hook's Job is Helm's business, and mostly gone by now.
    const workloads = workloadsOf(service.name, facts).filter(({ hook }) => !hook);
    const trouble = worst(workloads);
    const unhealthy = workloads.filter(({ state }) => state !== 'healthy');
    const helmRevision = helmRelease?.helmRevision ?? 0;
    if (unhealthy.length === 0) {
      return { service: service.name, ...healthInWords(workloads), helmRevision };
    }
    return {
      service: service.name,
      state: trouble?.state === 'failed' ? ('failed' as const) : ('progressing' as const),
      note: [...(trouble?.trouble ? [trouble.trouble.sentence] : []), ...unhealthy.map(far)].join(
        '; ',
      ),
      ...(trouble?.trouble ? { cause: trouble.trouble } : {}),
    };
  });
  if (judged.every(({ state }) => state === 'healthy')) return summary('healthy', judged);
  return summary(judged.some(({ state }) => state === 'failed') ? 'failed' : 'progressing', judged);
}

/** Healthy, with what people should know, such as that it sleeps. */
function healthInWords(
  workloads: readonly WorkloadVerdict[],
): Pick<ServiceProgress, 'state' | 'note' | 'health'> {
  const notes = workloads.flatMap(({ workload, note }) => (note ? [`${workload}: ${note}`] : []));
  const asleep = workloads.some((workload) => workload.asleep);
  return {
    state: 'healthy',
    note: ['healthy', ...notes].slice(asleep ? 1 : 0).join('; '),
    ...(asleep ? { health: 'asleep' as const } : {}),
  };
}

function far({ workload, progress }: WorkloadVerdict): string {
  return `${workload}: ${progress}`;
}

type Judged = ServiceProgress & { cause?: CauseReport };

function summary(state: RolloutJudgement['state'], judged: readonly Judged[]): RolloutJudgement {
  const cause =
    judged.find((service) => service.state === 'failed' && service.cause)?.cause ??
    judged.find((service) => service.cause)?.cause;
  return {
    state,
    services: judged.map(({ service, state: of, note, health, helmRevision }) => ({
      ...{ service, state: of, note },
      ...(health === undefined ? {} : { health }),
      ...(helmRevision === undefined ? {} : { helmRevision }),
    })),
    ...(cause ? { cause } : {}),
  };
}

function settled(helmRelease: HelmReleaseFacts, workloads: readonly WorkloadVerdict[]): Judged {
  const { service } = helmRelease;
  if (helmRelease.status === 'deployed') {
    return { service, state: 'healthy', note: 'applied' };
  }
  const cause = worst(workloads)?.trouble ?? helmFailure(helmRelease);
  return { service, state: 'failed', note: cause.sentence, cause };
}

/** Helm's own rollback carries the labels of the revision it returns to; only its words tell. */
function takenBack({ service, description }: HelmReleaseFacts): CauseReport | undefined {
  if (!/^rollback /i.test(description)) return undefined;
  return {
    code: 'helm-rolled-back',
    service,
    sentence: `Helm took the upgrade of ${service} back by itself (${description}).`,
  };
}

/** An uninstall is done when Helm knows nothing of the service, or only that it was there. */
function judgeUninstall(service: string, helmRelease: HelmReleaseFacts | undefined): Judged {
  if (!helmRelease || helmRelease.status === 'uninstalled') {
    return { service, state: 'healthy', note: 'uninstalled' };
  }
  return { service, state: 'progressing', note: `helm says ${helmRelease.status}` };
}

function revisionFault(
  planned: PlannedService,
  helmRelease: HelmReleaseFacts | undefined,
  deploymentId: string,
): CauseReport | undefined {
  const { name: service } = planned;
  if (!helmRelease) {
    return { code: 'helm-failed', service, sentence: `${service} has no Helm release.` };
  }
  const rolledBack = takenBack(helmRelease);
  if (rolledBack) return rolledBack;
  if (helmRelease.deploymentId !== deploymentId) {
    return {
      code: 'helm-failed',
      service,
      sentence: `Revision ${helmRelease.helmRevision} of ${service} was not made by this deployment.`,
    };
  }
  if (helmRelease.status !== 'deployed') return helmFailure(helmRelease);
  if (planned.chartVersion !== undefined && planned.chartVersion !== helmRelease.chartVersion) {
    return {
      code: 'helm-failed',
      service,
      sentence: `${service} runs chart ${helmRelease.chartVersion}, planned was ${planned.chartVersion}.`,
    };
  }
  return undefined;
}

function helmFailure({ service, status, description }: HelmReleaseFacts): CauseReport {
  return {
    code: status.startsWith('pending') ? 'helm-locked' : 'helm-failed',
    service,
    sentence: `The Helm release ${service} is ${status}: ${description.slice(0, 300)}`,
    reason: status,
  };
}

function workloadsOf(service: string, facts: ClusterFacts): WorkloadVerdict[] {
  return facts.workloads.filter((workload) => workload.service === service);
}

/** A failed workload, else one with a trouble that may pass. */
function worst(workloads: readonly WorkloadVerdict[]): WorkloadVerdict | undefined {
  return (
    workloads.find(({ state }) => state === 'failed') ??
    workloads.find(({ state, trouble }) => state === 'progressing' && trouble)
  );
}
