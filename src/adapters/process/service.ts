import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { SlipwayError } from '../../domain/errors.ts';
import { DEFAULT_LADDER, endProcessGroup, type KillLadder } from './kill-ladder.ts';

export interface ProcessUser {
  uid: number;
  gid: number;
}

export interface Service {
  readonly pid: number;
  /** Resolves with the exit code (null after a signal) when the process has ended; never rejects. */
  readonly ended: Promise<number | null>;
  /** Ends the process and all that it started. */
  stop(ladder?: KillLadder): Promise<void>;
}

/**
 * Starts a long-running program whose output goes to a log file, with exactly the environment given,
 * as the leader of its own process group. Throws `tool-missing` when it cannot be started.
 */
export async function startService(
  file: string,
  args: readonly string[],
  options: {
    env: Readonly<Record<string, string>>;
    logFile: string;
    cwd?: string;
    /** The user to run as, where the parent may choose one. */
    user?: ProcessUser;
  },
): Promise<Service> {
  const log = openSync(options.logFile, 'a', 0o600);
  const child = spawn(file, args, {
    env: options.env,
    detached: true,
    stdio: ['ignore', log, log],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...options.user,
  });
  closeSync(log);
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      resolve(code);
    });
  });
  try {
    await once(child, 'spawn');
  } catch (error) {
    throw new SlipwayError('tool-missing', `cannot start ${file}`, { cause: error });
  }
  const pid = child.pid ?? 0;
  return {
    pid,
    ended,
    stop: async (ladder = DEFAULT_LADDER) => {
      await endProcessGroup(pid, ladder);
      await ended;
    },
  };
}
