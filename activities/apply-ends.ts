import { BoundedMap } from '../src/domain/bounded-map.ts';

const WATCHES_MAX = 100;

/** Tells the watch beside an apply of this worker that the apply has ended. */
export class ApplyEnds {
  /** The oldest is forgotten: its apply has long ended elsewhere. */
  readonly #watches = new BoundedMap<string, AbortController>(WATCHES_MAX);

  /** Aborts when the attempt's apply ends; never, where another worker applies. */
  signalOf(deploymentId: string, attempt: number): AbortSignal {
    const key = `${deploymentId}/${attempt}`;
    const known = this.#watches.get(key);
    if (known) return known.signal;
    const fresh = new AbortController();
    this.#watches.set(key, fresh);
    return fresh.signal;
  }

  tell(deploymentId: string, attempt: number): void {
    const key = `${deploymentId}/${attempt}`;
    this.#watches.get(key)?.abort();
    this.#watches.delete(key);
  }
}
