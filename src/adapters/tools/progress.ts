/** One look at an installation that takes minutes. */
export interface Progress {
  step: number;
  steps: number;
  /** The tools of this step, with versions. */
  what: string;
  doing: string;
  /** The tools of the steps after this one. */
  next: readonly string[];
  elapsedMs: number;
  /** Set when the step has ended; with a reason when it failed. */
  ended?: { failure?: string };
}

export type OnProgress = (progress: Progress) => void;

const TICK_MS = 1_000;
const QUIET_MS = 10_000;
const COLUMNS_DEFAULT = 80;

/** Does the work of a step and reports it once a second, and how it ended. */
export async function withProgress<Failure extends Error>(
  onProgress: OnProgress | undefined,
  work: () => Promise<Failure | undefined>,
  step: Omit<Progress, 'elapsedMs' | 'ended'>,
): Promise<Failure | undefined> {
  const started = Date.now();
  const report = (ended?: Progress['ended']) =>
    onProgress?.({ ...step, elapsedMs: Date.now() - started, ...(ended && { ended }) });
  report();
  const timer = setInterval(() => {
    report();
  }, TICK_MS);
  try {
    const failure = await work();
    report(failure ? { failure: failure.message } : {});
    return failure;
  } finally {
    clearInterval(timer);
  }
}

/** Prints progress: one line that is redrawn on a terminal, elsewhere a line every ten seconds. */
export function progressPrinter(stream: NodeJS.WriteStream): OnProgress {
  let printedAtMs = -QUIET_MS;
  return (progress) => {
    const line = progressLine(progress);
    if (stream.isTTY) {
      const columns = (stream.columns || COLUMNS_DEFAULT) - 1;
      stream.write(progress.ended ? `\r\u001b[K${line}\n` : `\r\u001b[K${line.slice(0, columns)}`);
      return;
    }
    const first = progress.elapsedMs < TICK_MS / 2;
    if (!progress.ended && !first && progress.elapsedMs - printedAtMs < QUIET_MS) return;
    printedAtMs = progress.elapsedMs;
    stream.write(`${line}\n`);
  };
}

/** What people read of a progress. */
export function progressLine(progress: Progress): string {
  const { step, steps, what, doing, next, elapsedMs, ended } = progress;
  const head = `[${step}/${steps}] ${what}:`;
  const elapsed = describeElapsed(elapsedMs);
  if (ended?.failure !== undefined) return `${head} ${doing} failed: ${ended.failure}`;
  if (ended) return `${head} installed in ${elapsed}`;
  const then = next.length > 0 ? `, then: ${next.join('; ')}` : '';
  return `${head} ${doing}, ${elapsed} elapsed${then}`;
}

function describeElapsed(elapsedMs: number): string {
  const seconds = Math.floor(elapsedMs / 1_000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

/** Says, once for each holder, whom an installation waits for. */
export function waitPrinter(stream: NodeJS.WriteStream): (holderPid: number) => void {
  let said: number | undefined;
  return (holderPid) => {
    if (said !== holderPid)
      stream.write(`waiting for process ${holderPid}, which installs tools\n`);
    said = holderPid;
  };
}
