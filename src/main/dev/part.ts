import { readFileSync } from 'node:fs';
import { startService, type ProcessUser, type Service } from '../../adapters/process/service.ts';
import type { KillLadder } from '../../adapters/process/kill-ladder.ts';
import type { Reaper } from './reaper.ts';
import { waitUntil } from './wait-until.ts';

/** The programs that a platform is made of, beside PostgreSQL and git. */
export const PLATFORM_TOOLS = [
  'temporal',
  'helm',
  'kubectl',
  'kwok',
  'kwokctl',
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
] as const;

export type PlatformTools = Readonly<Record<(typeof PLATFORM_TOOLS)[number], string>>;

/** What every part of a platform is given. */
export interface PlatformContext {
  /** Marks the platform's processes, so that they can be found again. */
  id: string;
  /** The platform's data and logs; this platform's alone. */
  folder: string;
  /** The whole environment of a child process; carries the mark. */
  env: Readonly<Record<string, string>>;
  /** Paths of the programs. */
  tools: PlatformTools;
  reaper: Reaper;
}

/** What a part needs that brings its own programs. */
export type PartContext = Pick<PlatformContext, 'folder' | 'env' | 'reaper'>;

export interface PartOptions {
  name: string;
  file: string;
  args: readonly string[];
  logFile: string;
  /** Asked until it says yes. */
  isReady: () => Promise<boolean>;
  timeoutMs: number;
  ladder: KillLadder;
  user?: ProcessUser;
}

/**
 * Starts a program of the platform and returns when it is ready to work. When it ends before, or is
 * not ready in time, it is ended and the error holds the last lines of its log.
 */
export async function startPart(context: PartContext, options: PartOptions): Promise<Service> {
  const { name, file, logFile, user, ladder } = options;
  const service = await startService(file, options.args, {
    env: context.env,
    logFile,
    ...(user === undefined ? {} : { user }),
  });
  context.reaper.register(service.pid, ladder.leaderSignal ?? 'SIGTERM');
  const state = { ended: false };
  void service.ended.then(() => {
    state.ended = true;
    context.reaper.forget(service.pid);
  });
  try {
    await waitUntil(
      `starting ${name}`,
      async () => state.ended || (await options.isReady()),
      options,
    );
    if (state.ended) throw new Error(`starting ${name}: it ended at once`);
  } catch (error) {
    await service.stop(ladder);
    throw new Error(`${messageOf(error)}\n${logTail(logFile)}`, { cause: error });
  }
  return { ...service, stop: () => service.stop(ladder) };
}

/** Does it once more when it fails: a free port may have been taken before it was used. */
export async function twice<T>(start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch {
    return await start();
  }
}

/** The end of a log, for error messages. */
export function logTail(file: string, lines = 15): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '(no log)';
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
