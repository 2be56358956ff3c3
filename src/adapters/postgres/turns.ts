import { Refusal } from '../../domain/errors.ts';

/** Does works with the same key one after the other. */
export type InTurn = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/**
 * Has whatever would wait for the same row of PostgreSQL wait here, where it takes no connection of the
 * pool: all of them would be waiting for that row, and everything else for them. Who waits longer than
 * `waitMs` is refused as `unavailable`, and its work is not done.
 */
export function createTurns(waitMs: number): InTurn {
  const queues = new Map<string, (() => void)[]>();
  return async (key, work) => {
    const queue = queues.get(key) ?? [];
    if (queues.has(key)) await turnIn(queue, waitMs);
    queues.set(key, queue);
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next) next();
      else queues.delete(key);
    }
  };
}

function turnIn(queue: (() => void)[], waitMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const begin = () => {
      clearTimeout(tooLate);
      resolve();
    };
    const tooLate = setTimeout(() => {
      queue.splice(queue.indexOf(begin), 1);
      reject(new Refusal('unavailable', 'too many ask for the same at once'));
    }, waitMs);
    queue.push(begin);
  });
}
