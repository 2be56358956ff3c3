import { BoundedMap } from '../../domain/bounded-map.ts';

const KEPT_MAX = 32;
const CHARACTERS_MAX = 2 * 1024 * 1024;

/**
 * What helmfile read out of commits before, for those that are sure to give the same again: the apply
 * checks its inputs against the same files, without waiting for helmfile once more. Holds secrets, in
 * the memory of the worker only.
 */
export class Evaluations {
  readonly #known = new BoundedMap<string, string>(KEPT_MAX);

  /** @param key names everything that the work depends on */
  async remember(key: string, work: () => Promise<string>): Promise<string> {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const output = await work();
    if (output.length > CHARACTERS_MAX) return output;
    this.#known.set(key, output);
    return output;
  }
}
