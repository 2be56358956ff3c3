/** A map that forgets what came in first when it would hold too many. */
export class BoundedMap<K, V> extends Map<K, V> {
  readonly #entriesMax: number;

  constructor(entriesMax: number) {
    super();
    this.#entriesMax = entriesMax;
  }

  override set(key: K, value: V): this {
    const [oldest] = this.keys();
    if (oldest !== undefined && !this.has(key) && this.size >= this.#entriesMax) {
      this.delete(oldest);
    }
    return super.set(key, value);
  }
}
