import { basename } from 'node:path';
import { execa } from 'execa';
import { SlipwayError } from '../../domain/errors.ts';
import { endProcessGroup, type KillLadder } from './kill-ladder.ts';
import { LineSplitter } from './lines.ts';
import type { ProcessUser } from './service.ts';

export interface RunOptions {
  /** The child's whole environment: nothing is inherited. */
  env: Readonly<Record<string, string>>;
  cwd?: string;
  /** The user to run as, where the parent may choose one. */
  user?: ProcessUser;
  /** Text for standard input; without it there is none. */
  input?: string;
  /** Aborting ends the whole process tree first, then throws the signal's reason. */
  signal?: AbortSignal;
  timeoutMs?: number;
  /** More output than this ends the child with `output-too-large`. Default 16 MiB. */
  outputBytesMax?: number;
  /** Keep only the end of the output, this many bytes, instead of refusing more. */
  keepTailBytes?: number;
  /** Of output whose end alone is kept, keep this much of its beginning too. */
  keepHeadBytes?: number;
  onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
  ladder?: KillLadder;
}

export interface RunResult {
  exitCode: number | undefined;
  /** Set when a signal ended the child. */
  signalName: string | undefined;
  stdout: string;
  stderr: string;
  timedOut: boolean;
}

const LEFTOVERS: KillLadder = { groupTermMs: 0, groupKillMs: 2_000 };
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
/** Enough to read what is left in a pipe after its writers are gone. */
const DRAIN_MS = 1_000;

/**
 * Runs a program without a shell, with exactly the environment given, in a process group of its own,
 * and waits until the whole group is gone.
 *
 * A non-zero exit is an answer, not an error. Throws the abort reason when `signal` aborts,
 * `tool-missing` when the program cannot be started, `output-too-large` above the bound.
 */
export async function run(
  file: string,
  args: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  options.signal?.throwIfAborted();
  const child = execa(file, args, {
    env: options.env,
    extendEnv: false,
    shell: false,
    preferLocal: false,
    buffer: false,
    detached: true,
    cleanup: true,
    reject: false,
    stripFinalNewline: false,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...options.user,
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
  });
  const pid = child.pid;
  let ending: Promise<void> | undefined;
  const seen = { timedOut: false, tooLarge: false };
  const endGroup = async (ladder?: KillLadder) => {
    if (pid === undefined) return;
    await endProcessGroup(pid, ladder);
    // A process that left the group, as daemons do, would hold the pipes open for as long as it likes.
    drain = setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    }, DRAIN_MS);
  };
  let drain: NodeJS.Timeout | undefined;
  const end = () => {
    ending ??= endGroup(options.ladder);
  };
  const timer = options.timeoutMs
    ? setTimeout(() => {
        seen.timedOut = true;
        end();
      }, options.timeoutMs)
    : undefined;
  options.signal?.addEventListener('abort', end, { once: true });
  // What a finished leader left behind would hold its pipes open for ever.
  child.nodeChildProcess.once('exit', () => {
    ending ??= endGroup(LEFTOVERS);
  });
  const overflow = () => {
    seen.tooLarge = true;
    end();
  };
  const stdout = collect(child.stdout, 'stdout', options, overflow);
  const stderr = collect(child.stderr, 'stderr', options, overflow);
  try {
    const result = await child;
    if (pid === undefined) {
      throw new SlipwayError('tool-missing', `cannot start ${file}: ${result.code ?? 'unknown'}`);
    }
    await ending;
    options.signal?.throwIfAborted();
    if (seen.tooLarge) {
      throw new SlipwayError('output-too-large', `${basename(file)} printed more than is accepted`);
    }
    return {
      exitCode: result.exitCode,
      signalName: result.signal,
      stdout: stdout(),
      stderr: stderr(),
      timedOut: seen.timedOut,
    };
  } finally {
    clearTimeout(timer);
    clearTimeout(drain);
    options.signal?.removeEventListener('abort', end);
  }
}

function collect(
  stream: NodeJS.ReadableStream,
  name: 'stdout' | 'stderr',
  options: RunOptions,
  overflow: () => void,
): () => string {
  const limit = options.keepTailBytes ?? options.outputBytesMax ?? OUTPUT_BYTES_MAX;
  let chunks: Buffer[] = [];
  let bytes = 0;
  let head = Buffer.alloc(0);
  const headMax = options.keepHeadBytes ?? 0;
  let isCut = false;
  const splitter = options.onLine && new LineSplitter((line) => options.onLine?.(line, name));
  stream.on('data', (chunk: Buffer) => {
    splitter?.write(chunk);
    chunks.push(chunk);
    bytes += chunk.length;
    if (head.length < headMax) head = Buffer.concat([head, chunk]).subarray(0, headMax);
    if (bytes <= limit) return;
    isCut = true;
    if (options.keepTailBytes === undefined) {
      // What it prints until it has ended is of no use, and there may be much of it.
      chunks = [];
      overflow();
      return;
    }
    // Compacting only at twice the limit keeps a chatty child from being copied for each chunk.
    if (bytes > 2 * limit) {
      chunks = [Buffer.concat(chunks).subarray(-limit)];
      bytes = limit;
    }
  });
  stream.on('end', () => splitter?.end());
  return () => {
    const all = Buffer.concat(chunks);
    const kept = (all.length > limit ? all.subarray(-limit) : all).toString('utf8');
    return isCut && headMax > 0 ? `${head.toString('utf8')}\n${kept}` : kept;
  };
}
