import type { CauseReport } from './cause.ts';
import type { ContainerFacts, PodFacts, WorkloadFacts } from './workload.ts';
import { workloadName } from './workload.ts';

export interface Trouble {
  /** It cannot pass by itself, so nobody needs to wait for the time to be up. */
  definite: boolean;
  cause: CauseReport;
}

/** What is wrong with the pods of a workload's newest template, in the order of its pods. */
export function podTroubles(facts: WorkloadFacts, restartsMax: number): Trouble[] {
  return facts.pods.flatMap((pod) => {
    const found = pod.containers.flatMap((container) => {
      const trouble =
        imageTrouble(facts, pod, container) ??
        configTrouble(facts, pod, container) ??
        exitTrouble(facts, pod, container, restartsMax) ??
        probeTrouble(facts, pod, container);
      return trouble ? [trouble] : [];
    });
    return pod.unschedulable === undefined
      ? found
      : [...found, unschedulable(facts, pod, pod.unschedulable)];
  });
}

const PULL_REASONS = ['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull'];
// containerd ends with ": not found"; registries answer "manifest unknown" or "name unknown".
const NOT_FOUND = /not found|manifest unknown|name unknown|does not exist/i;
const NO_ACCESS =
  /unauthorized|authentication required|no basic auth|access denied|authorization failed|403/i;

function imageTrouble(
  facts: WorkloadFacts,
  pod: PodFacts,
  container: ContainerFacts,
): Trouble | undefined {
  const { waiting, image } = container;
  if (!waiting || !PULL_REASONS.includes(waiting.reason)) return undefined;
  const refused = NO_ACCESS.test(waiting.message);
  const missing =
    waiting.reason === 'InvalidImageName' ||
    waiting.reason === 'ErrImageNeverPull' ||
    // Registries hide missing images behind "access denied or does not exist": that is a refusal.
    (NOT_FOUND.test(waiting.message) && !refused);
  const where = `container "${container.name}" of ${facts.service}`;
  if (missing) {
    return report(facts, pod, container, true, {
      code: 'image-not-found',
      reason: waiting.reason,
      sentence: `The image ${image} of ${where} cannot be pulled: it does not exist (${waiting.reason}).`,
    });
  }
  const why = refused
    ? 'the registry refuses access'
    : clip(waiting.message) || 'the node gives no reason yet';
  return report(facts, pod, container, false, {
    code: refused ? 'image-auth' : 'image-slow',
    reason: waiting.reason,
    sentence: `The image ${image} of ${where} cannot be pulled (${waiting.reason}): ${why}.`,
  });
}

// A ConfigMap, Secret or key that the pod reads is not there; it may still be created.
function configTrouble(facts: WorkloadFacts, pod: PodFacts, container: ContainerFacts) {
  const { waiting } = container;
  if (waiting?.reason !== 'CreateContainerConfigError') return undefined;
  return report(facts, pod, container, false, {
    code: 'values-missing',
    reason: waiting.reason,
    sentence: `Container "${container.name}" of ${facts.service} cannot be made: ${clip(waiting.message)}.`,
  });
}

function exitTrouble(
  facts: WorkloadFacts,
  pod: PodFacts,
  container: ContainerFacts,
  restartsMax: number,
): Trouble | undefined {
  const { lastExit, restarts, init } = container;
  const recent = container.recentRestarts ?? restarts;
  // What serves now has passed its trouble, unless it keeps falling over under our eyes.
  const stands = container.ready && !((container.recentRestarts ?? 0) > 0);
  if (!lastExit || stands) return undefined;
  const isJob = facts.kind === 'Job';
  // What may end by itself and did so well is no trouble; a server that ends is.
  if (lastExit.exitCode === 0 && (init || isJob || facts.kind === 'Pod')) return undefined;
  const ended = lastExit.message
    ? `cannot be started (${clip(lastExit.message.replace(/^.*unable to start container process: /s, ''))})`
    : `exits with code ${lastExit.exitCode} (${lastExit.reason})`;
  const again = isJob
    ? tries(facts)
    : restarts === 0
      ? ', its first start'
      : ` and was restarted ${times(restarts)}`;
  const job = isJob ? `${facts.hook ? 'Hook ' : ''}${workloadName(facts)}: ` : '';
  const kind = init ? 'Init container' : 'Container';
  const which = `${job}${kind} "${container.name}" of ${facts.service}`;
  const definite = !isJob && recent > restartsMax;
  if (lastExit.reason === 'OOMKilled') {
    const limit = container.memoryLimit ? `its limit of ${container.memoryLimit}` : "the node's";
    return report(facts, pod, container, definite, {
      code: 'oom-killed',
      reason: lastExit.reason,
      sentence: `${which} used more memory than ${limit} and was killed (OOMKilled, exit code ${lastExit.exitCode})${again}.`,
    });
  }
  return report(facts, pod, container, definite, {
    code: isJob ? (facts.hook ? 'hook-failed' : 'job-failed') : init ? 'init-failed' : 'crash-loop',
    reason: lastExit.reason,
    sentence: `${which} ${ended}${again}.`,
  });
}

function tries({ job }: WorkloadFacts): string {
  return job ? `; ${job.failedPods} of ${job.backoffLimit + 1} tries failed` : '';
}

/** Runs, and its own probe says that it cannot serve yet: a slow start as much as a broken one. */
function probeTrouble(facts: WorkloadFacts, pod: PodFacts, container: ContainerFacts) {
  const { probes, running, ready } = container;
  if (!running || ready) return undefined;
  const probe = probes?.readiness
    ? `readiness probe: ${probes.readiness}`
    : probes?.startup
      ? `startup probe: ${probes.startup}`
      : undefined;
  if (probe === undefined) return undefined;
  return report(facts, pod, container, false, {
    code: 'readiness-failing',
    reason: 'Unready',
    sentence: `Container "${container.name}" of ${facts.service} runs but is not ready (${probe}).`,
  });
}

function unschedulable(facts: WorkloadFacts, pod: PodFacts, message: string): Trouble {
  return {
    definite: false,
    cause: {
      code: 'unschedulable',
      sentence: `No node takes pod ${pod.name} of ${facts.service}: ${clip(message)}`,
      service: facts.service,
      workload: workloadName(facts),
      pod: pod.name,
      reason: 'Unschedulable',
    },
  };
}

function report(
  facts: WorkloadFacts,
  pod: PodFacts,
  container: ContainerFacts,
  definite: boolean,
  { code, reason, sentence }: Required<Pick<CauseReport, 'code' | 'reason' | 'sentence'>>,
): Trouble {
  return {
    definite,
    cause: {
      ...{ code, sentence, service: facts.service, workload: workloadName(facts) },
      ...{ pod: pod.name, container: container.name, image: container.image, reason },
    },
  };
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

/** Cuts a neighbour's text to what fits into a sentence. */
export function clip(text: string): string {
  return text.length > 300 ? `${text.slice(0, 299)}…` : text;
}
