import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decideOrder, type Candidate } from '../../src/domain/ordering.ts';
import { takesPlaceOf } from '../../src/domain/overtaking.ts';
import { printedSeed, sized } from '../support/size.ts';

/** Every commit of a branch is announced, in any order and with pauses; the newest has the last number. */
const deliveries = fc.integer({ min: 1, max: 20 }).chain((count) =>
  fc.tuple(
    fc.shuffledSubarray(
      Array.from({ length: count }, (_, at) => at + 1),
      { minLength: count },
    ),
    fc.array(fc.nat({ max: 12 }), { minLength: count, maxLength: count }),
    fc.array(fc.nat({ max: 30 }), { minLength: count, maxLength: count }),
  ),
);

test('the head is what runs in the end, and no older commit is written after a newer one', () => {
  const numRuns = sized({ commit: 5_000, long: 100_000 });
  fc.assert(
    fc.property(deliveries, ([order, pauses, applies]) => {
      const written = simulate(order, pauses, applies);
      expect(written.at(-1)).toBe(order.length);
      expect(written).toEqual(written.toSorted((a, b) => a - b));
    }),
    { numRuns, seed: printedSeed('lane rules', numRuns) },
  );
});

/**
 * A lane in a few lines, in whole seconds: what arrives is put in order, what runs plans for three seconds,
 * in which it gives way, and then applies. Returns the commits that were written, in order.
 */
function simulate(order: number[], pauses: number[], applies: number[]): number[] {
  const written: number[] = [];
  let waiting: Candidate[] = [];
  let accepted: string | undefined;
  let running: { candidate: Candidate; yieldsUntil: number; endsAt: number } | undefined;
  let now = 0;
  const advance = (until: number) => {
    for (; now <= until; now += 1) {
      if (running && now >= running.endsAt) {
        written.push(Number(running.candidate.commit));
        running = undefined;
      }
      const decision = decideOrder(accepted, waiting, (a, b) => Number(a) <= Number(b));
      waiting = decision.keep.flatMap(
        (id) => waiting.find(({ deploymentId }) => deploymentId === id) ?? [],
      );
      const [first] = waiting;
      if (!first) continue;
      if (running && now < running.yieldsUntil && takesPlaceOf(first, running.candidate)) {
        running = undefined;
      }
      if (running) continue;
      waiting.shift();
      accepted = first.commit;
      const applySeconds = applies[Number(first.commit) - 1] ?? 0;
      running = { candidate: first, yieldsUntil: now + 3, endsAt: now + 3 + applySeconds };
    }
  };
  for (const [at, number] of order.entries()) {
    waiting.push({ deploymentId: `d${number}`, commit: String(number), kind: 'automatic' });
    advance(now + (pauses[at] ?? 0));
  }
  advance(now + 1_000);
  return written;
}
