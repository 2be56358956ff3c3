import type { CauseReport } from '../src/domain/cause.ts';
import type { Evidence } from '../src/domain/why/evidence.ts';
import { explain } from '../src/domain/why/rules.ts';
import { workloadName, type WorkloadFacts } from '../src/domain/workload.ts';
import type { ClusterView } from './cluster-deps.ts';

/**
 * Adds to a cause what the cluster can tell about it: events, and the last lines of the failing
 * container. Explaining never fails what it explains: without evidence the cause stays as it is.
 */
export async function explainCause(
  cluster: ClusterView,
  redact: (text: string) => string,
  cause: CauseReport,
  workloads: readonly WorkloadFacts[],
): Promise<CauseReport> {
  try {
    const workload = workloads.find(
      (each) => each.service === cause.service && workloadName(each) === cause.workload,
    );
    const { pod, container } = cause;
    const names = [pod, workload?.name, workload?.replicaSet].filter((name) => name !== undefined);
    const [events, log] = await Promise.all([
      names.length > 0 ? cluster.events(names) : [],
      pod !== undefined && container !== undefined && hasRun(workload, pod, container)
        ? cluster.lastLines(pod, container)
        : undefined,
    ]);
    const evidence: Evidence = {
      seen: { ...cause, sentence: redact(cause.sentence) },
      events: events.map((event) => ({ ...event, message: redact(event.message) })),
      ...(workload ? { workload } : {}),
      // As one text, so that a secret of several lines is found.
      ...(log ? { log: { ...log, lines: redact(log.lines.join('\n')).split('\n') } } : {}),
    };
    return explain(evidence);
  } catch {
    return cause;
  }
}

/** Whether a container has come as far as writing a log. */
function hasRun(workload: WorkloadFacts | undefined, pod: string, container: string): boolean {
  const facts = workload?.pods
    .find(({ name }) => name === pod)
    ?.containers.find(({ name }) => name === container);
  return facts?.lastExit !== undefined || facts?.running === true || (facts?.restarts ?? 0) > 0;
}
