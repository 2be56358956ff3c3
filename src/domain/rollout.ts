import type { CauseReport } from './cause.ts';

/** Settings of the rollout check; `slipway.yaml`: `rollout`. */
export interface RolloutPolicy {
  timeoutMs: number;
  soakMs: number;
  restartsMax: number;
}

export interface ContainerFacts {
  name: string;
  image: string;
  restarts: number;
  waiting?: { reason: string; message: string };
  lastExit?: { reason: string; exitCode: number };
}

export interface PodFacts {
  name: string;
  /** Init containers too. */
  containers: ContainerFacts[];
}

/** What the API server says of one Kubernetes workload, reduced to what the rules read. */
export interface WorkloadFacts {
  kind: 'Deployment' | 'Job';
  name: string;
  service: string;
  generation: number;
  observedGeneration: number;
  desired: number;
  /** Replicas of the newest template, and how many of those are available; for a Job: completions. */
  updated: number;
  available: number;
  /** Replicas of older templates that still run. */
  old: number;
  /** A condition that ends the rollout: progress deadline, failed Job, replicas refused. */
  failure?: { reason: string; message: string };
  /** Pods of the newest template only: old pods that still serve prove nothing. */
  pods: PodFacts[];
}

export interface WorkloadVerdict {
  workload: string;
  service: string;
  state: 'progressing' | 'healthy' | 'failed';
  /** For people: how far it is. */
  progress: string;
  /** Set when failed; when progressing it is a trouble that may yet pass. */
  trouble?: CauseReport;
}

/** Judges one Kubernetes workload: healthy only when the new generation runs everywhere. */
export function assessWorkload(facts: WorkloadFacts, policy: RolloutPolicy): WorkloadVerdict {
  const base = { workload: `${facts.kind}/${facts.name}`, service: facts.service };
  if (facts.observedGeneration < facts.generation) {
    return { ...base, state: 'progressing', progress: 'the cluster has not seen the change yet' };
  }
  const progress =
    facts.kind === 'Job'
      ? `${facts.available} of ${facts.desired} completions`
      : `${facts.available} of ${facts.desired} new replicas available`;
  const done =
    facts.updated >= facts.desired && facts.available >= facts.desired && facts.old === 0;
  if (done && !facts.failure) return { ...base, state: 'healthy', progress };
  const troubles = facts.pods.flatMap((pod) => podTroubles(facts, pod, policy));
  const definite = troubles.find((trouble) => trouble.definite);
  if (definite) return { ...base, state: 'failed', progress, trouble: definite.cause };
  if (facts.failure) {
    return { ...base, state: 'failed', progress, trouble: conditionCause(facts, facts.failure) };
  }
  const first = troubles[0];
  return { ...base, state: 'progressing', progress, ...(first ? { trouble: first.cause } : {}) };
}

interface Trouble {
  definite: boolean;
  cause: CauseReport;
}

function podTroubles(facts: WorkloadFacts, pod: PodFacts, policy: RolloutPolicy): Trouble[] {
  return pod.containers.flatMap((container) => {
    const trouble = imageTrouble(facts, container) ?? crashTrouble(facts, container, policy);
    return trouble ? [trouble] : [];
  });
}

const PULL_REASONS = ['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull'];
// containerd ends with ": not found"; registries answer "manifest unknown" or "name unknown".
const NOT_FOUND = /not found|manifest unknown|name unknown|does not exist/i;
const NO_ACCESS = /unauthorized|authentication required|access denied|authorization failed|403/i;

function imageTrouble(facts: WorkloadFacts, container: ContainerFacts): Trouble | undefined {
  const { waiting } = container;
  if (!waiting || !PULL_REASONS.includes(waiting.reason)) return undefined;
  const refused = NO_ACCESS.test(waiting.message);
  const missing =
    waiting.reason === 'InvalidImageName' ||
    waiting.reason === 'ErrImageNeverPull' ||
    // Registries hide missing images behind "access denied or does not exist": that is a refusal.
    (NOT_FOUND.test(waiting.message) && !refused);
  const names = {
    service: facts.service,
    workload: `${facts.kind}/${facts.name}`,
    container: container.name,
    image: container.image,
    reason: waiting.reason,
  };
  const where = `container "${container.name}" of ${facts.service}`;
  if (missing) {
    return {
      definite: true,
      cause: {
        code: 'image-not-found',
        sentence: `The image ${container.image} of ${where} cannot be pulled: it does not exist (${waiting.reason}).`,
        ...names,
      },
    };
  }
  return {
    definite: false,
    cause: {
      code: 'image-auth',
      sentence: `The image ${container.image} of ${where} cannot be pulled (${waiting.reason}): ${refused ? 'the registry refuses access' : clip(waiting.message)}.`,
      ...names,
    },
  };
}

function crashTrouble(
  facts: WorkloadFacts,
  container: ContainerFacts,
  policy: RolloutPolicy,
): Trouble | undefined {
  if (facts.kind === 'Job' || container.restarts === 0 || !container.lastExit) return undefined;
  const { reason, exitCode } = container.lastExit;
  return {
    definite: container.restarts > policy.restartsMax,
    cause: {
      code: 'crash-loop',
      sentence: `Container "${container.name}" of ${facts.service} exits with code ${exitCode} (${reason}) and was restarted ${container.restarts} times.`,
      service: facts.service,
      workload: `${facts.kind}/${facts.name}`,
      container: container.name,
      image: container.image,
      reason,
    },
  };
}

function conditionCause(
  facts: WorkloadFacts,
  failure: { reason: string; message: string },
): CauseReport {
  const code =
    facts.kind === 'Job'
      ? 'job-failed'
      : failure.reason === 'ProgressDeadlineExceeded'
        ? 'progress-deadline'
        : /quota/i.test(failure.message)
          ? 'quota'
          : 'admission-denied';
  return {
    code,
    sentence: `${facts.kind}/${facts.name} of ${facts.service}: ${failure.reason}: ${clip(failure.message)}`,
    service: facts.service,
    workload: `${facts.kind}/${facts.name}`,
    reason: failure.reason,
  };
}

function clip(text: string): string {
  return text.length > 300 ? `${text.slice(0, 299)}…` : text;
}
