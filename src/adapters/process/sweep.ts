import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { DEFAULT_LADDER, signalQuietly, type KillLadder } from './kill-ladder.ts';

/**
 * Whose processes are leftovers: of every attempt that has its home below a folder, or of one attempt,
 * `<deployment>/<number>`, wherever it ran.
 */
type Leftovers = { folder: string } | { attempt: string };

interface Leftover {
  pid: number;
  parent: number;
}

const POLL_MS = 20;

/** For what outlived its attempt's processes: they have had their time. */
export const STRAYS: KillLadder = { groupTermMs: 700, groupKillMs: 1_000 };

/**
 * Ends what attempts of a killed worker left running, found by the mark in its environment, and returns
 * how many there were when nothing is left. For a worker that starts, every attempt in its folder is a
 * leftover; for one that takes over, the attempt whose worker is proved dead. Does nothing where the
 * system has no /proc.
 *
 * As on the kill ladder the first signal goes to the topmost alone: helmfile passes it on to each helm,
 * and a helm that is signalled twice gives up without writing its release's end.
 */
export async function sweepAttempts(whose: Leftovers, ladder: KillLadder = DEFAULT_LADDER) {
  const started = Date.now();
  const found = new Set<number>();
  const steps: { atMs: number; topOnly: boolean; signal: NodeJS.Signals }[] = [
    { atMs: 0, topOnly: true, signal: ladder.leaderSignal ?? 'SIGTERM' },
    { atMs: ladder.groupTermMs, topOnly: false, signal: 'SIGTERM' },
    { atMs: ladder.groupKillMs, topOnly: false, signal: 'SIGKILL' },
  ];
  for (;;) {
    const left = await leftovers(whose);
    if (left.length === 0) return found.size;
    const pids = new Set(left.map(({ pid }) => pid));
    for (const pid of pids) found.add(pid);
    const [step] = steps;
    if (step && Date.now() - started >= step.atMs) {
      // The last step stays: what a dying process started in the meantime is ended too.
      if (steps.length > 1) steps.shift();
      for (const { pid, parent } of left) {
        if (!step.topOnly || !pids.has(parent)) signalQuietly(pid, step.signal);
      }
    }
    await delay(POLL_MS);
  }
}

async function leftovers(whose: Leftovers): Promise<Leftover[]> {
  const entries = await readdir('/proc').catch(() => []);
  const pids = entries.filter((name) => /^[0-9]+$/.test(name)).map(Number);
  const read = await Promise.all(pids.map((pid) => leftover(pid, whose)));
  return read.filter((each) => each !== undefined);
}

async function leftover(pid: number, whose: Leftovers): Promise<Leftover | undefined> {
  if (pid === process.pid) return undefined;
  // Processes of other users, and those that end meanwhile, cannot be read: they are none of ours.
  const environ = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  const variables = environ.split('\0');
  const mark = variables.find((each) => each.startsWith('SLIPWAY_ATTEMPT='));
  const isWanted =
    'attempt' in whose
      ? mark === `SLIPWAY_ATTEMPT=${whose.attempt}`
      : mark !== undefined && variables.some((each) => each.startsWith(`HOME=${whose.folder}/`));
  if (!isWanted) return undefined;
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  if (/^State:\s+[ZX]/m.test(status)) return undefined;
  return { pid, parent: Number(/^PPid:\s+([0-9]+)/m.exec(status)?.[1] ?? 0) };
}
