/** Draws that are the same for the same seed. */
export interface Random {
  /** A whole number from 0 to below `count`. */
  below: (count: number) => number;
  pick: <T>(items: readonly T[]) => T;
  /** Whether something happens that happens once in `count` times. */
  oneIn: (count: number) => boolean;
}

/** Mulberry32: small, and good enough to choose mutations. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (count: number) => Math.floor(next() * count);
  return {
    below,
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new Error('there is nothing to pick from');
      return item;
    },
    oneIn: (count) => below(count) === 0,
  };
}
