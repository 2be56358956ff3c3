import { isAlias, isMap, isScalar, isSeq, type Document, type LineCounter, type Node } from 'yaml';
import { formatPath, type Finding, type Path, type Problem } from './problems.ts';

export interface Position {
  file: string;
  line: number;
  column: number;
}

interface Place {
  key: Node | undefined;
  value: Node | undefined;
}

/** Finds the line and column of keys and values in one parsed file. */
export class Positions {
  readonly #file: string;
  readonly #document: Document;
  readonly #lines: LineCounter;

  constructor(file: string, document: Document, lines: LineCounter) {
    this.#file = file;
    this.#document = document;
    this.#lines = lines;
  }

  /** The place of an offset in the text. */
  ofOffset(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    // An empty file has no first line.
    return { file: this.#file, line: Math.max(1, line), column: Math.max(1, col) };
  }

  /** The place of a path's key or value; of the nearest thing around it where that was not written. */
  ofPath(path: Path, at: 'key' | 'value'): Position {
    const { key, value } = this.#find(path);
    // A value left out (`forge:`) has no place of its own.
    const written = isScalar(value) && value.source === '' ? undefined : value;
    const node = at === 'key' ? (key ?? value) : (written ?? key);
    return this.ofOffset(node?.range?.[0] ?? 0);
  }

  /** Gives a finding its place. */
  locate({ path, at, message, other, fix }: Finding): Problem {
    return {
      ...this.ofPath(path, at),
      path: formatPath(path),
      message: other === undefined ? message : `${message} ${this.#describe(other)}`,
      ...(fix === undefined ? {} : { fix }),
    };
  }

  #describe(path: Path): string {
    const { file, line, column } = this.ofPath(path, 'key');
    return `${formatPath(path)} at ${file}:${line}:${column}`;
  }

  #find(path: Path): Place {
    let place: Place = { key: undefined, value: this.#document.contents ?? undefined };
    for (const step of path) {
      const inner = this.#step(place.value, step);
      if (inner === undefined) break;
      place = inner;
    }
    return place;
  }

  #step(node: Node | undefined, step: string | number): Place | undefined {
    const collection = isAlias(node) ? node.resolve(this.#document) : node;
    if (isSeq<Node>(collection) && typeof step === 'number') {
      return { key: undefined, value: collection.items[step] };
    }
    if (!isMap<Node, Node | null>(collection)) return undefined;
    const pair = collection.items.find(({ key }) => isScalar(key) && key.value === step);
    return pair && { key: pair.key, value: pair.value ?? undefined };
  }
}
