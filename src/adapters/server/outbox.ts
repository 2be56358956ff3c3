import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Send } from './client.ts';

const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 10_000;
/** What is kept while the server is away: eight attempts whose logs are as long as the server keeps. */
const BYTES_MAX = 64 * 1024 * 1024;

type Kind = 'logs' | 'plans' | 'health';

interface Message {
  file: string;
  kind: Kind;
  bytes: number;
  /** Resolves when it needs no more waiting for: delivered, given up, or kept for a server that is away. */
  settled: Promise<void>;
  settle: () => void;
}

export interface OutboxOptions {
  /** Messages lie here until the server has them; what an earlier worker left is sent first. */
  folder: string;
  send: Send;
  /** Told when the server goes away or refuses a message, and when messages had to be given up. */
  onTrouble: (message: string, fields: Record<string, unknown>) => void;
  bytesMax?: number;
  retryFirstMs?: number;
}

/**
 * Messages to the server, in order, each sent until it is taken: on disk, so that neither a server that
 * is away nor the worker's own end loses them. When they grow too many the oldest logs go, and the server
 * tells the gap by the numbers of the lines.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #closing = new AbortController();
  readonly #queue: Message[];
  readonly #running: Promise<void>;
  #number: number;
  #writing: Promise<unknown> = Promise.resolve();
  #away = false;
  #wake: () => void = () => undefined;

  private constructor(options: OutboxOptions, left: Message[], number: number) {
    this.#options = options;
    this.#queue = left;
    this.#number = number;
    this.#running = this.#deliver();
  }

  static async open(options: OutboxOptions): Promise<Outbox> {
    const { folder } = options;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const left: Message[] = [];
    let number = 0;
    for (const file of (await readdir(folder)).sort()) {
      const [, digits, kind] = /^(\d{12})-(logs|plans|health)\.json$/.exec(file) ?? [];
      if (digits === undefined) {
        // The worker ended while it wrote this.
        await rm(join(folder, file), { force: true });
        continue;
      }
      number = Number(digits);
      left.push(newMessage(file, kind as Kind, (await stat(join(folder, file))).size));
    }
    return new Outbox(options, left, number);
  }

  /** Resolves when the server has it, or it is kept because the server is away. */
  async put(kind: Kind, body: object): Promise<void> {
    const text = JSON.stringify(body);
    // One write after the other: the order on disk is that of the calls.
    const written = this.#writing.then(() => this.#write(kind, text));
    this.#writing = written.catch(() => undefined);
    const message = await written;
    if (!this.#away) await message.settled;
  }

  /** Gives what waits a last chance; the rest is for the next worker. */
  async close(ms: number): Promise<void> {
    await this.#writing;
    const last = this.#queue.at(-1);
    if (last && !this.#away) await Promise.race([last.settled, delay(ms)]);
    this.#closing.abort();
    this.#wake();
    await this.#running;
  }

  async #write(kind: Kind, text: string): Promise<Message> {
    this.#number += 1;
    const file = `${String(this.#number).padStart(12, '0')}-${kind}.json`;
    const path = join(this.#options.folder, file);
    await writeFile(`${path}.part`, text, { mode: 0o600 });
    await rename(`${path}.part`, path);
    const message = newMessage(file, kind, Buffer.byteLength(text));
    this.#queue.push(message);
    await this.#forgetOldest();
    this.#wake();
    return message;
  }

  async #deliver(): Promise<void> {
    let retryMs = this.#options.retryFirstMs ?? RETRY_FIRST_MS;
    while (!this.#closing.signal.aborted) {
      const message = this.#queue[0];
      if (!message) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      const delivery = await this.#send(message);
      if (delivery.outcome === 'later') {
        if (!this.#away) this.#options.onTrouble('the server is away', { reason: delivery.why });
        this.#away = true;
        for (const each of this.#queue) each.settle();
        await delay(retryMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
        retryMs = Math.min(2 * retryMs, RETRY_MAX_MS);
        continue;
      }
      if (delivery.outcome === 'refused') {
        this.#options.onTrouble('the server refused a message', { reason: delivery.why });
      }
      this.#away = false;
      retryMs = this.#options.retryFirstMs ?? RETRY_FIRST_MS;
      await this.#remove(message);
    }
    for (const each of this.#queue) each.settle();
  }

  async #send({ file, kind }: Message) {
    let text: string;
    try {
      text = await readFile(join(this.#options.folder, file), 'utf8');
    } catch (error) {
      return { outcome: 'refused', why: `reading ${file}: ${String(error)}` } as const;
    }
    return this.#options.send(kind, text, this.#closing.signal);
  }

  /** Never the one that is just being sent, and never a plan: people decide by it. */
  async #forgetOldest(): Promise<void> {
    const bytesMax = this.#options.bytesMax ?? BYTES_MAX;
    let bytes = this.#queue.reduce((sum, each) => sum + each.bytes, 0);
    if (bytes <= bytesMax) return;
    let given = 0;
    for (const message of this.#queue.slice(1, -1)) {
      if (bytes <= bytesMax) break;
      if (message.kind === 'plans') continue;
      bytes -= message.bytes;
      given += 1;
      await this.#remove(message);
    }
    if (given > 0) this.#options.onTrouble('gave up parts of logs', { parts: given });
  }

  async #remove(message: Message): Promise<void> {
    await rm(join(this.#options.folder, message.file), { force: true });
    const at = this.#queue.indexOf(message);
    if (at >= 0) this.#queue.splice(at, 1);
    message.settle();
  }
}

function newMessage(file: string, kind: Kind, bytes: number): Message {
  let settle: () => void = () => undefined;
  const settled = new Promise<void>((resolve) => (settle = resolve));
  return { file, kind, bytes, settled, settle };
}
