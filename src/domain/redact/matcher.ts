/** A stretch of text, from `start` up to but without `end`. */
export interface Span {
  start: number;
  end: number;
}

const BLOCK = 3;
const TABLE_BITS = 19;
const TABLE_SIZE = 1 << TABLE_BITS;

/** The place of three units in the tables: equal ones share it, different ones seldom. */
function place(text: string, at: number): number {
  const units =
    text.charCodeAt(at) ^
    Math.imul(text.charCodeAt(at + 1), 0x9e3b) ^
    Math.imul(text.charCodeAt(at + 2), 0x5f356495);
  return Math.imul(units, 0x9e3779b1) >>> (32 - TABLE_BITS);
}

/**
 * Finds any of thousands of texts in one pass (Wu and Manber): a table says for the three units at the
 * end of a window how far the next match is at least, so most of the text is skipped unread. A RegExp
 * with so many alternatives, or an automaton with a state for each of their units, is far slower or
 * larger; `npm run bench:redact` compares.
 */
export class Matcher {
  readonly #patterns: readonly string[];
  readonly #longest: number;
  readonly #window: number;
  readonly #shifts = new Uint8Array(TABLE_SIZE);
  /** Whether any pattern begins with these three units. */
  readonly #begins = new Uint8Array(TABLE_SIZE);
  /** The patterns of a place; those of one place stand together, in order. */
  readonly #buckets = new Map<number, Span>();
  /** The first unit and the first two of every pattern, for the end of a chunk. */
  readonly #shortPrefixes = new Set<string>();

  /** @param patterns not empty, of at least three units each */
  constructor(patterns: Iterable<string>) {
    const placed = Array.from(patterns, (pattern) => ({ pattern, at: place(pattern, 0) }));
    placed.sort((a, b) => a.at - b.at || (a.pattern < b.pattern ? -1 : 1));
    this.#patterns = placed.map(({ pattern }) => pattern);
    this.#longest = Math.max(...this.#patterns.map(({ length }) => length));
    // A shift fits a byte, and longer windows gain nothing any more.
    this.#window = Math.min(64, ...this.#patterns.map(({ length }) => length));
    this.#shifts.fill(this.#window - BLOCK + 1);
    placed.forEach(({ pattern, at }, index) => {
      const bucket = this.#buckets.get(at);
      if (bucket) bucket.end = index + 1;
      else this.#buckets.set(at, { start: index, end: index + 1 });
      this.#begins[at] = 1;
      this.#shortPrefixes.add(pattern.slice(0, 1)).add(pattern.slice(0, 2));
      for (let offset = 0; offset <= this.#window - BLOCK; offset += 1) {
        const block = place(pattern, offset);
        const shift = this.#window - BLOCK - offset;
        this.#shifts[block] = Math.min(this.#shifts[block] ?? 0, shift);
      }
    });
  }

  /** The longest match at every place where one begins, in order; matches may overlap. */
  find(text: string): Span[] {
    const spans: Span[] = [];
    const lead = this.#window - BLOCK;
    for (let at = 0; at + this.#window <= text.length;) {
      const shift = this.#shifts[place(text, at + lead)] ?? 0;
      if (shift > 0) {
        at += shift;
        continue;
      }
      const end = this.#longestAt(text, at);
      if (end > at) spans.push({ start: at, end });
      at += 1;
    }
    return spans;
  }

  /** Where the longest end of the text begins that may be the beginning of a match. */
  openEnd(text: string): number {
    let at = Math.max(0, text.length - this.#longest + 1);
    while (at < text.length && !this.#mayBegin(text, at)) at += 1;
    return at;
  }

  #longestAt(text: string, start: number): number {
    const first = place(text, start);
    const bucket = this.#begins[first] === 1 ? this.#buckets.get(first) : undefined;
    if (!bucket) return start;
    let found = start;
    let { start: low, end: high } = bucket;
    for (let depth = 0; low < high; depth += 1) {
      // The shortest comes first: of those that are the beginning of others, the longest counts.
      if (this.#patterns[low]?.length === depth) {
        found = start + depth;
        low += 1;
      }
      if (start + depth >= text.length) break;
      [low, high] = this.#narrow(low, high, depth, text.charCodeAt(start + depth));
    }
    return found;
  }

  #mayBegin(text: string, start: number): boolean {
    if (text.length - start < BLOCK) return this.#shortPrefixes.has(text.slice(start));
    const first = place(text, start);
    const bucket = this.#begins[first] === 1 ? this.#buckets.get(first) : undefined;
    if (!bucket) return false;
    let { start: low, end: high } = bucket;
    for (let depth = 0; start + depth < text.length; depth += 1) {
      if (this.#patterns[low]?.length === depth) low += 1;
      [low, high] = this.#narrow(low, high, depth, text.charCodeAt(start + depth));
      if (low >= high) return false;
    }
    return (this.#patterns[high - 1]?.length ?? 0) > text.length - start;
  }

  /** Of patterns in order that agree up to a depth, those with this unit there. */
  #narrow(low: number, high: number, depth: number, unit: number): [number, number] {
    // Most often one is left, and it goes on as the text does or not.
    if (high - low === 1) return this.#unit(low, depth) === unit ? [low, high] : [high, high];
    return [this.#firstFrom(low, high, depth, unit), this.#firstFrom(low, high, depth, unit + 1)];
  }

  #firstFrom(low: number, high: number, depth: number, unit: number): number {
    let [from, to] = [low, high];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#unit(middle, depth) < unit) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  #unit(index: number, depth: number): number {
    return this.#patterns[index]?.charCodeAt(depth) ?? 0;
  }
}
