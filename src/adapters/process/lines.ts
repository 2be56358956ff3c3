import { StringDecoder } from 'node:string_decoder';

/** A line longer than this is handed on in pieces, so that one endless line cannot fill memory. */
const PIECE_CHARACTERS_MAX = 64 * 1024;

/** Splits bytes into lines across chunk borders; invalid UTF-8 becomes the replacement character. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #onLine: (line: string) => void;
  #rest = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  write(chunk: Buffer): void {
    this.#rest += this.#decoder.write(chunk);
    const lines = this.#rest.split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#emit(line);
    if (this.#rest.length > PIECE_CHARACTERS_MAX) {
      this.#emit(this.#rest);
      this.#rest = '';
    }
  }

  end(): void {
    this.#rest += this.#decoder.end();
    if (this.#rest !== '') this.#emit(this.#rest);
    this.#rest = '';
  }

  #emit(line: string): void {
    const text = line.endsWith('\r') ? line.slice(0, -1) : line;
    if (text.length <= PIECE_CHARACTERS_MAX) {
      this.#onLine(text);
      return;
    }
    for (let at = 0; at < text.length; at += PIECE_CHARACTERS_MAX) {
      this.#onLine(text.slice(at, at + PIECE_CHARACTERS_MAX));
    }
  }
}
