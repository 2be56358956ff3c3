import type { CauseReport } from '../cause.ts';
import type { WorkloadFacts } from '../workload.ts';

/** An event of Kubernetes about an object. */
export interface EventFacts {
  /** `Pod/api-1`. */
  object: string;
  type: string;
  reason: string;
  message: string;
  count: number;
}

/** The end of a container's log. */
export interface LogTail {
  container: string;
  /** Of the run before the present one. */
  previous: boolean;
  lines: readonly string[];
}

/** What a failure left behind; every text without secrets already. */
export interface Evidence {
  /** The end of what helm, helmfile or a step's error said. */
  said?: string;
  /** What has been concluded so far: by the watcher of the rollout, or by the step that failed. */
  seen?: CauseReport;
  /** The workload that failed. */
  workload?: WorkloadFacts;
  events?: readonly EventFacts[];
  log?: LogTail;
}

const LINES_MAX = 20;
const BYTES_MAX = 2_048;
const LINE_MAX = 400;

/** The lines that people read as proof: events first, then what was said, then the end of the log. */
export function evidenceLines({ said, events = [], log }: Evidence): string[] {
  const telling = events
    .filter(({ type, reason, message }) => type === 'Warning' && !isEcho(reason, message))
    .map(({ object, reason, message, count }) =>
      line(`event of ${object}: ${reason}: ${message}${count > 1 ? ` (${count} times)` : ''}`),
    );
  // A controller tries with another name each time.
  const byRefusal = new Map(telling.map((text) => [text.replaceAll(REFUSED_POD, ''), text]));
  const warnings = [...byRefusal.values()].slice(-5);
  const words = saidLines(said).slice(-8).map(line);
  const which = log ? `${log.container}${log.previous ? ' (previous run)' : ''}` : '';
  const logged = (log?.lines ?? []).map((text) => line(`log of ${which}: ${text}`));
  return bounded([...warnings, ...words], logged);
}

const REFUSED_POD =
  /(?:\(combined from similar events\): )?Error creating: pods "[^"]*"| \(\d+ times\)$/g;

/** Events that only repeat what another one says better. */
function isEcho(reason: string, message: string): boolean {
  return reason === 'BackOff' || /^Error: (ErrImagePull|ImagePullBackOff)$/.test(message);
}

/** The last line that a container wrote before it ended, if it wrote any. */
export function lastLogLine({ log }: Evidence): string | undefined {
  const text = log?.lines.findLast((each) => each.trim() !== '');
  return text === undefined ? undefined : line(text);
}

/** The lines of an error output; steps join them with bars. */
export function saidLines(said = ''): string[] {
  return said
    .split(/\n| \| /)
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

/** One line for each that was said, so that a pattern's dot stays within what belongs together. */
export function saidText(said: string | undefined): string {
  return saidLines(said).join('\n');
}

/** Of the log the end counts, of all else the beginning. */
function bounded(first: readonly string[], log: readonly string[]): string[] {
  const lines = first.slice(0, LINES_MAX);
  const rest = LINES_MAX - lines.length;
  if (rest > 0) lines.push(...log.slice(-rest));
  const logFrom = Math.min(first.length, LINES_MAX);
  while (bytes(lines) > BYTES_MAX) lines.splice(lines.length > logFrom ? logFrom : -1, 1);
  return lines;
}

function line(text: string): string {
  return text.length > LINE_MAX ? `${text.slice(0, LINE_MAX - 1)}…` : text;
}

/** In UTF-8, which takes up to four bytes for a character. */
function bytes(lines: readonly string[]): number {
  let sum = 0;
  for (const character of lines.join('\n')) {
    const code = character.codePointAt(0) ?? 0;
    sum += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
  }
  return sum;
}
