import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** The variable that marks every process of an attempt with `<deployment>/<attempt>`. */
const MARK = 'SLIPWAY_ATTEMPT';

const TERM_MS = 8_000;

/**
 * Ends every process that carries the mark of an attempt, whoever its parent is now, and returns when
 * none is left. For attempts whose worker is dead: it cannot end them itself any more. Without /proc there
 * is nothing to find.
 */
export async function endLeftovers(attempt: string): Promise<void> {
  const started = performance.now();
  for (;;) {
    const pids = await pidsOf(attempt);
    if (pids.length === 0) return;
    // Helm writes the end of its release when it is asked nicely.
    const signal = performance.now() - started < TERM_MS ? 'SIGTERM' : 'SIGKILL';
    for (const pid of pids) signalQuietly(pid, signal);
    await delay(500);
  }
}

async function pidsOf(attempt: string): Promise<number[]> {
  const entries = await readdir('/proc').catch(() => []);
  const wanted = `\0${MARK}=${attempt}\0`;
  const found = await Promise.all(
    entries
      .filter((name) => /^\d+$/.test(name))
      .map(async (name) => {
        // A process that ended meanwhile, or is somebody else's, cannot be read.
        const environ = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
        return `\0${environ}\0`.includes(wanted) ? [Number(name)] : [];
      }),
  );
  return found.flat();
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Already gone, which is what was wanted.
  }
}
