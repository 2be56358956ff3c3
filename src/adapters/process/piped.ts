import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { SlipwayError } from '../../domain/errors.ts';
import { endProcessGroup, type KillLadder } from './kill-ladder.ts';

export interface PipedProcess {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves with the exit code (null after a signal) when the process has ended; never rejects. */
  readonly ended: Promise<number | null>;
  /** Ends the process and all that it started. */
  stop(ladder?: KillLadder): Promise<void>;
  /** Lets the parent exit while this process and its pipes are still open. */
  unref(): void;
  /** Takes `unref` back, to wait for the end. */
  ref(): void;
}

/**
 * Starts a program whose input and output are streams of unknown length, with exactly the
 * environment given, as the leader of its own process group. What it prints on standard error is
 * thrown away. Throws `tool-missing` when it cannot be started.
 */
export async function startPiped(
  file: string,
  args: readonly string[],
  options: { env: Readonly<Record<string, string>> },
): Promise<PipedProcess> {
  const child = spawn(file, args, {
    env: options.env,
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  // A child that ends before it has read everything breaks the pipe; its exit code says why.
  child.stdin.on('error', () => undefined);
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', resolve);
  });
  try {
    await once(child, 'spawn');
  } catch (error) {
    throw new SlipwayError('tool-missing', `cannot start ${file}`, { cause: error });
  }
  const pid = child.pid ?? 0;
  return {
    pid,
    stdin: child.stdin,
    stdout: child.stdout,
    ended,
    stop: async (ladder) => {
      await endProcessGroup(pid, ladder);
      await ended;
    },
    unref: () => {
      child.unref();
      for (const stream of [child.stdin, child.stdout]) {
        // The pipes of a child process are sockets, which their types do not say.
        (stream as Socket).unref();
      }
    },
    ref: () => {
      child.ref();
    },
  };
}
