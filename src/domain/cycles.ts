/**
 * Finds names that wait for themselves.
 *
 * @param after what each name waits for
 * @returns each cycle as a path that ends where it began; a tangle of them gives at least one
 */
export function findCycles(after: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  for (const start of after.keys()) {
    // A stack of our own: a long chain must not exhaust the engine's.
    const walk = done.has(start) ? [] : [{ name: start, next: 0 }];
    const open = new Set(walk.map(({ name }) => name));
    for (let step = walk.at(-1); step !== undefined; step = walk.at(-1)) {
      const next = after.get(step.name)?.[step.next++];
      if (next === undefined) {
        done.add(step.name);
        open.delete(step.name);
        walk.pop();
      } else if (open.has(next)) {
        const names = walk.map(({ name }) => name);
        cycles.push([...names.slice(names.indexOf(next)), next]);
      } else if (!done.has(next) && after.has(next)) {
        open.add(next);
        walk.push({ name: next, next: 0 });
      }
    }
  }
  return cycles;
}
