import { execa } from 'execa';
import { openSync } from 'node:fs';
import { SlipwayError } from '../../domain/errors.ts';
import { DEFAULT_LADDER, endProcessGroup, type KillLadder } from './kill-ladder.ts';

export interface Service {
  readonly pid: number;
  /** Resolves with the exit code (null after a signal) when the process has ended; never rejects. */
  readonly ended: Promise<number | null>;
  /** Ends the process and all that it started. */
  stop(ladder?: KillLadder): Promise<void>;
}

/**
 * Starts a long-running program whose output goes to a log file, with exactly the environment given,
 * as the leader of its own process group.
 */
export async function startService(
  file: string,
  args: readonly string[],
  options: { env: Readonly<Record<string, string>>; logFile: string; cwd?: string },
): Promise<Service> {
  const log = openSync(options.logFile, 'a', 0o600);
  const child = execa(file, args, {
    env: options.env,
    extendEnv: false,
    shell: false,
    preferLocal: false,
    detached: true,
    cleanup: false,
    reject: false,
    stdin: 'ignore',
    stdout: log,
    stderr: log,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const pid = child.pid;
  if (pid === undefined) {
    const result = await child;
    throw new SlipwayError('tool-missing', `cannot start ${file}: ${result.code ?? 'unknown'}`);
  }
  const ended = child.then((result) => result.exitCode ?? null);
  return {
    pid,
    ended,
    stop: async (ladder = DEFAULT_LADDER) => {
      await endProcessGroup(pid, ladder);
      await ended;
    },
  };
}
