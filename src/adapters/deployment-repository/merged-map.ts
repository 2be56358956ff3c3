import { isAlias, isMap, isScalar, isSeq, type Alias, type Document, type Node } from 'yaml';
import { Refusal } from '../../domain/errors.ts';

// A pipeline has some hundred; aliases of aliases reach this at once.
const VALUES_MAX = 20_000;
const MERGES_DEEP_MAX = 20;

/**
 * Reads maps of a YAML document with what `<<` brings into them, as Drone's reader does: in the order in
 * which they stand, so that a `<<` below a key takes its place.
 */
export class MapReader {
  readonly #document: Document;
  readonly #targets = new Map<Alias, Node>();
  #read = 0;

  constructor(document: Document) {
    this.#document = document;
  }

  /** The entries of a map by key; empty for anything else. Throws a refusal for too many aliases. */
  entries(node: unknown): Map<string, Node> {
    const entries = new Map<string, Node>();
    for (const [key, values] of this.#all(node, 0)) {
      const [last] = values.slice(-1);
      if (last) entries.set(key, last);
    }
    return entries;
  }

  /** The entries of all maps that come together under a key, where Drone merges them. */
  deepEntries(node: unknown, key: string): Map<string, Node> {
    const maps = this.#all(node, 0).get(key) ?? [];
    return new Map(maps.flatMap((map) => [...this.entries(map)]));
  }

  items(node: unknown): Node[] {
    const list = this.#resolved(node);
    return isSeq(list) ? (list.items as Node[]) : [];
  }

  /** Text of a scalar as it is written, or undefined. */
  text(node: unknown): string | undefined {
    const scalar = this.#resolved(node);
    if (!isScalar(scalar) || scalar.value === null) return undefined;
    return typeof scalar.value === 'string' ? scalar.value : scalar.source;
  }

  /** One text or a list of them. */
  texts(node: unknown): string[] {
    const items = this.items(node);
    return (items.length > 0 ? items : [node])
      .map((item) => this.text(item))
      .filter((text) => text !== undefined);
  }

  #resolved(node: unknown): Node | undefined {
    this.#read += 1;
    if (this.#read > VALUES_MAX) throw new Refusal('invalid', 'it has too many aliases');
    if (!isAlias(node)) return node as Node | undefined;
    // Looking an alias up reads the whole document.
    const target = this.#targets.get(node) ?? node.resolve(this.#document);
    if (target) this.#targets.set(node, target);
    return target;
  }

  /** Every value that a key gets, the one that counts last. */
  #all(node: unknown, depth: number): Map<string, Node[]> {
    const map = this.#resolved(node);
    const all = new Map<string, Node[]>();
    if (!isMap(map)) return all;
    if (depth > MERGES_DEEP_MAX) throw new Refusal('invalid', 'its aliases nest too deep');
    const add = (key: string, values: readonly Node[]) =>
      all.set(key, [...(all.get(key) ?? []), ...values]);
    for (const { key, value } of map.items) {
      if (!isScalar(key) || value === null) continue;
      if (key.value !== '<<') add(String(key.value), [value as Node]);
      else {
        const list = this.#resolved(value);
        // Of a list the first counts most.
        const sources = isSeq(list) ? list.items.toReversed() : [value];
        for (const source of sources) {
          for (const [name, values] of this.#all(source, depth + 1)) add(name, values);
        }
      }
    }
    return all;
  }
}
