import { randomUUID } from 'node:crypto';
import type { LogSink, LogStep } from '../src/contract/log-sink.ts';

const FLUSH_MS = 500;
/** What is kept while the log takes nothing; the oldest lines go first, and the gap is told by numbers. */
const WAITING_LINES_MAX = 20_000;
/** A log that hangs must not hold up the step's end for longer. */
const CLOSE_MS = 10_000;

interface Where {
  deploymentId: string;
  attempt: number;
  step: LogStep;
}

/**
 * Gathers the lines of a step and hands them to the log in order, about twice a second. Lines that
 * were not taken are handed over again with the next ones.
 */
class LogWriter {
  readonly #sink: LogSink;
  readonly #where: Where;
  readonly #timer: NodeJS.Timeout;
  readonly #stream = randomUUID();
  /** How many lines came before the ones that wait. */
  #first = 0;
  #lines: string[] = [];
  #writing: Promise<void> | undefined;

  constructor(sink: LogSink, where: Where) {
    this.#sink = sink;
    this.#where = where;
    this.#timer = setInterval(() => void this.#flush(), FLUSH_MS);
  }

  write(line: string): void {
    this.#lines.push(line);
    // Only at twice the number, so that a chatty step does not move all lines for each new one.
    if (this.#lines.length > 2 * WAITING_LINES_MAX) this.#forget();
  }

  /** Stores what is left. A log that cannot be stored never fails the step that it tells of. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS);
    });
    // The first may have been under way already, without the last lines.
    await Promise.race([this.#flush().then(() => this.#flush()), late]);
    clearTimeout(timer);
  }

  /** One at a time, or the lines would lose their order. */
  #flush(): Promise<void> {
    this.#writing ??= this.#store().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #store(): Promise<void> {
    const lines = this.#lines;
    if (lines.length === 0) return;
    const first = this.#first;
    this.#lines = [];
    this.#first += lines.length;
    const at = new Date().toISOString();
    try {
      await this.#sink.append({ ...this.#where, stream: this.#stream, first, at, lines });
    } catch {
      this.#lines = [...lines, ...this.#lines];
      this.#first -= lines.length;
      this.#forget();
    }
  }

  #forget(): void {
    const excess = Math.max(0, this.#lines.length - WAITING_LINES_MAX);
    this.#lines.splice(0, excess);
    this.#first += excess;
  }
}

/** Opens a writer for the time of the work and stores everything before the work's end is seen. */
export async function logging<T>(
  sink: LogSink,
  where: Where,
  work: (write: (line: string) => void) => Promise<T>,
): Promise<T> {
  const writer = new LogWriter(sink, where);
  try {
    return await work((line) => {
      writer.write(line);
    });
  } catch (error) {
    writer.write(error instanceof Error ? error.message : 'the step failed');
    throw error;
  } finally {
    await writer.close();
  }
}
