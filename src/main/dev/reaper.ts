import { startPiped } from '../../adapters/process/piped.ts';
import { siblingScript } from './sibling-script.ts';

/** Ends the platform's processes if this process dies without doing so itself. */
export interface Reaper {
  /** Names a process that cannot be found by its environment, and the signal that ends it cleanly. */
  register(pid: number, signal: NodeJS.Signals): void;
  /** The process has ended: its number may belong to another one now. */
  forget(pid: number): void;
  /** Ends what is still left, then the reaper. */
  close(): Promise<void>;
}

/**
 * Starts a small process that waits for this one to end, however it ends: the pipe between them
 * closes even after SIGKILL.
 *
 * @param folder the platform's data: attempts of Slipway that work in it end with the platform
 */
export async function startReaper(platformId: string, folder: string): Promise<Reaper> {
  const script = siblingScript('reaper-main');
  const child = await startPiped(process.execPath, [script, platformId, folder], { env: {} });
  child.unref();
  const say = (line: string) => child.stdin.write(`${line}\n`);
  return {
    register: (pid, signal) => say(`register ${pid} ${signal}`),
    forget: (pid) => say(`forget ${pid}`),
    close: async () => {
      child.ref();
      child.stdin.end();
      await child.ended;
    },
  };
}
