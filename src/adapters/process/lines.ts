import { StringDecoder } from 'node:string_decoder';

/** A line longer than this is handed on in pieces, so that one endless line cannot fill memory. */
const PIECE_CHARACTERS_MAX = 64 * 1024;

/**
 * Splits bytes into lines, the same ones however the bytes were cut into chunks; invalid UTF-8 becomes
 * the replacement character.
 */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #onLine: (line: string) => void;
  #rest = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  write(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n');
    const last = lines.pop() ?? '';
    for (const line of lines) this.#emit(line);
    // One character more stays back: it may be the carriage return of the line's end.
    this.#rest = this.#cut(last, PIECE_CHARACTERS_MAX + 1);
  }

  end(): void {
    const rest = this.#rest + this.#decoder.end();
    this.#rest = '';
    if (rest !== '') this.#emit(rest);
  }

  #emit(line: string): void {
    const text = line.endsWith('\r') ? line.slice(0, -1) : line;
    this.#onLine(this.#cut(text, PIECE_CHARACTERS_MAX));
  }

  /** Hands on pieces of a line until what is left has at most `keepMax` characters, and answers that. */
  #cut(line: string, keepMax: number): string {
    let at = 0;
    while (line.length - at > keepMax) {
      const end = at + PIECE_CHARACTERS_MAX;
      // A character of two code units is not torn apart.
      const next = isHighSurrogate(line.charCodeAt(end - 1)) ? end - 1 : end;
      this.#onLine(line.slice(at, next));
      at = next;
    }
    return line.slice(at);
  }
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
