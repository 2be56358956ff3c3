/** How many bytes of bodies may be in memory at once, whoever sends them. */
export interface BodyBudget {
  /** Takes what fits and answers how to give it back; undefined when it does not fit now. */
  take: (bytes: number) => (() => void) | undefined;
}

export function createBodyBudget(bytesMax: number): BodyBudget {
  let taken = 0;
  return {
    take: (bytes) => {
      if (taken + bytes > bytesMax) return undefined;
      taken += bytes;
      let given = false;
      return () => {
        if (!given) taken -= bytes;
        given = true;
      };
    },
  };
}
