import type { LogSink, LogStep } from '../src/contract/log-sink.ts';

const FLUSH_MS = 500;

/** Gathers the lines of a step and hands them to the log in order, about twice a second. */
class LogWriter {
  readonly #sink: LogSink;
  readonly #where: { deploymentId: string; attempt: number; step: LogStep };
  readonly #timer: NodeJS.Timeout;
  #lines: string[] = [];
  #writing: Promise<void> = Promise.resolve();

  constructor(sink: LogSink, where: { deploymentId: string; attempt: number; step: LogStep }) {
    this.#sink = sink;
    this.#where = where;
    this.#timer = setInterval(() => {
      void this.#flush();
    }, FLUSH_MS);
  }

  write(line: string): void {
    this.#lines.push(line);
  }

  /** Stores what is left. A log that cannot be stored never fails the step that it tells of. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#flush();
  }

  async #flush(): Promise<void> {
    const lines = this.#lines;
    this.#lines = [];
    if (lines.length > 0) {
      this.#writing = this.#writing
        .then(() => this.#sink.append({ ...this.#where, lines }))
        .catch(() => undefined);
    }
    await this.#writing;
  }
}

/** Opens a writer for the time of the work and stores everything before the work's end is seen. */
export async function logging<T>(
  sink: LogSink,
  where: { deploymentId: string; attempt: number; step: LogStep },
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
