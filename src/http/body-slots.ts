/** How many bodies may be in memory at once: many usual ones, few large ones. */
export interface BodySlots {
  /** Takes a place for a body of this size and answers how to give it back; undefined when none is free. */
  take: (bytes: number) => (() => void) | undefined;
}

interface Pool {
  bytesMax: number;
  places: number;
}

/** Pools from small to large: a large body cannot take the place of the usual ones. */
export function createBodySlots(pools: readonly Pool[]): BodySlots {
  const free = pools.map(({ places }) => places);
  return {
    take: (bytes) => {
      const at = pools.findIndex(({ bytesMax }) => bytes <= bytesMax);
      if (at < 0 || (free[at] ?? 0) <= 0) return undefined;
      free[at] = (free[at] ?? 0) - 1;
      let given = false;
      return () => {
        if (!given) free[at] = (free[at] ?? 0) + 1;
        given = true;
      };
    },
  };
}
