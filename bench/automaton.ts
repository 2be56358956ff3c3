/**
 * The textbook way to find many texts at once, for the comparison: Aho and Corasick's automaton with
 * typed arrays. A full table of its states would take gigabytes, so each state keeps a list of its edges.
 */
export class Automaton {
  readonly #edges: Map<number, number>;
  readonly #fail: Int32Array;
  /** The length of the longest form that ends in a state. */
  readonly #ends: Uint16Array;

  constructor(forms: readonly string[]) {
    this.#edges = new Map();
    const parents = [0];
    const units = [0];
    const ends = [0];
    for (const form of forms) {
      let state = 0;
      for (let at = 0; at < form.length; at += 1) {
        const unit = form.charCodeAt(at);
        let next = this.#edges.get(state * 65_536 + unit);
        if (next === undefined) {
          next = parents.length;
          this.#edges.set(state * 65_536 + unit, next);
          parents.push(state);
          units.push(unit);
          ends.push(0);
        }
        state = next;
      }
      ends[state] = form.length;
    }
    this.#fail = new Int32Array(parents.length);
    this.#ends = Uint16Array.from(ends);
    this.#linkFailures(parents, units);
  }

  hide(text: string, mask: string): string {
    let output = '';
    let shown = 0;
    let state = 0;
    // The stretch to hide grows while matches overlap it.
    let start = -1;
    let end = -1;
    for (let at = 0; at < text.length; at += 1) {
      state = this.#step(state, text.charCodeAt(at));
      const length = this.#ends[state] ?? 0;
      if (length === 0) continue;
      const from = at + 1 - length;
      if (from >= end && start >= 0) {
        output += text.slice(shown, start) + mask;
        shown = end;
        start = from;
      } else start = start < 0 ? from : Math.min(start, from);
      end = at + 1;
    }
    if (start >= 0) {
      output += text.slice(shown, start) + mask;
      shown = end;
    }
    return output + text.slice(shown);
  }

  #step(from: number, unit: number): number {
    for (let state = from; ; state = this.#fail[state] ?? 0) {
      const next = this.#edges.get(state * 65_536 + unit);
      if (next !== undefined) return next;
      if (state === 0) return 0;
    }
  }

  #linkFailures(parents: readonly number[], units: readonly number[]): void {
    const depths = new Uint16Array(parents.length);
    for (let state = 1; state < parents.length; state += 1) {
      depths[state] = (depths[parents[state] ?? 0] ?? 0) + 1;
    }
    const byDepth = Array.from(parents.keys()).sort((a, b) => (depths[a] ?? 0) - (depths[b] ?? 0));
    for (const state of byDepth) {
      const parent = parents[state] ?? 0;
      if (state === 0 || parent === 0) continue;
      const fail = this.#step(this.#fail[parent] ?? 0, units[state] ?? 0);
      this.#fail[state] = fail;
      this.#ends[state] = Math.max(this.#ends[state] ?? 0, this.#ends[fail] ?? 0);
    }
  }
}
