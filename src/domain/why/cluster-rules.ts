import type { CauseReport } from '../cause.ts';
import { asleepInWords } from '../sleep-schedule.ts';
import type { ContainerFacts } from '../workload.ts';
import { lastLogLine, type Evidence } from './evidence.ts';
import type { Rule } from './rule.ts';

/** Rules over what the watcher of the rollout saw, with the events and the log of what failed. */

/** Row 5: a node that still pulls has said so, and nothing since. */
export const imageSlow: Rule = ({ seen, workload, events = [] }) => {
  if (seen?.code === 'image-slow') return { code: 'image-slow', sentence: seen.sentence };
  if (seen && !isVague(seen.code)) return undefined;
  const pulling = events.findLast(({ reason }) => reason === 'Pulling');
  const pulled = events.some(({ reason }) => reason === 'Pulled' || reason === 'Failed');
  const waits = workload?.pods.some(({ containers }) => containers.some(isBeingMade)) ?? false;
  if (!pulling || pulled || !waits) return undefined;
  const image = /image "([^"]+)"/.exec(pulling.message)?.[1] ?? 'an image';
  return { code: 'image-slow', sentence: `${pulling.object} is still pulling the image ${image}.` };
};

/** Row 6, where the kubelet ended the container because it did not answer. */
export const livenessFailing: Rule = (evidence) => {
  const { seen } = evidence;
  if (seen?.code !== 'crash-loop') return undefined;
  const answer = probeAnswer(evidence, 'Liveness');
  if (answer === undefined) return undefined;
  const container = containerOf(evidence);
  const probe = container?.probes?.liveness;
  const restarts = container?.restarts ?? 0;
  return {
    code: 'crash-loop',
    reason: 'Unhealthy',
    sentence: `Container "${seen.container ?? ''}" of ${seen.service ?? ''} is ended by its liveness probe${probe ? ` (${probe})` : ''} and was restarted ${restarts} times: ${answer}.`,
  };
};

/** Rows 6, 7 and 14: what ended by itself is explained best by the last line that it wrote. */
export const endedByItself: Rule = (evidence) => {
  const { seen } = evidence;
  const ended = ['crash-loop', 'oom-killed', 'init-failed', 'job-failed', 'hook-failed'];
  if (!seen || !ended.includes(seen.code)) return undefined;
  const line = lastLogLine(evidence);
  const run = evidence.log?.previous ? 'previous log' : 'log';
  const words = line === undefined ? '' : ` Last line of its ${run}: ${line}`;
  return { code: seen.code, sentence: `${seen.sentence}${words}` };
};

/** Row 8: the probe and its answer. */
export const readinessFailing: Rule = (evidence) => {
  const { seen } = evidence;
  if (seen?.code !== 'readiness-failing') return undefined;
  const answer = probeAnswer(evidence, 'Readiness') ?? probeAnswer(evidence, 'Startup');
  const words = answer === undefined ? '' : ` Its answer: ${answer}.`;
  return { code: seen.code, sentence: `${seen.sentence}${words}` };
};

/** Row 16. */
export const asleep: Rule = ({ seen, workload }) =>
  seen && isVague(seen.code) && workload?.sleep && workload.desired === 0
    ? {
        code: 'asleep',
        sentence: `${workload.kind}/${workload.name} is ${asleepInWords(workload.sleep)}.`,
      }
    : undefined;

/** All other rows: what has been concluded stands, unless it only repeats that something failed. */
export const asSeen: Rule = ({ seen }) =>
  seen && !isVague(seen.code) ? { code: seen.code, sentence: seen.sentence } : undefined;

/** Codes that name no cause yet, only that something did not work. */
function isVague(code: CauseReport['code']): boolean {
  return ['helm-failed', 'unknown', 'rollout-timeout'].includes(code);
}

function isBeingMade({ waiting }: ContainerFacts): boolean {
  return waiting?.reason === 'ContainerCreating' || waiting?.reason === 'PodInitializing';
}

function containerOf({ seen, workload }: Evidence): ContainerFacts | undefined {
  return workload?.pods
    .find(({ name }) => name === seen?.pod)
    ?.containers.find(({ name }) => name === seen?.container);
}

/** What a probe answered last, as the kubelet tells it. */
function probeAnswer({ events = [] }: Evidence, probe: string): string | undefined {
  const begin = `${probe} probe failed: `;
  const event = events.findLast(({ message }) => message.startsWith(begin));
  return event?.message.slice(begin.length).trim();
}
