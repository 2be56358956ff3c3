import type { Mutation, Mutator } from './edits.ts';
import { MUTATORS } from './mutations.ts';
import type { Random } from './random.ts';
import type { State } from './repository.ts';

const TOGETHER_MAX = 3;
const TRIES_MAX = 12;
const REVERT_ONE_IN = 15;

/**
 * Draws what happens next. Some mutations come together, as in a merge, but only such as concern
 * different services: one that the planner sees must not cover for one that it misses.
 *
 * @param before the state before the newest one, which a person may go back to
 */
export function drawMutations(
  state: State,
  before: State | undefined,
  random: Random,
  room: number,
): { mutations: Mutation[]; next: State } {
  if (before && random.oneIn(REVERT_ONE_IN)) {
    const mutation: Mutation = {
      what: 'the last change taken back',
      touches: 'all',
      state: before,
    };
    return { mutations: [mutation], next: before };
  }
  const mutations: Mutation[] = [];
  const taken = new Set<string>();
  let next = state;
  for (let tries = 0; tries < TRIES_MAX || mutations.length === 0; tries += 1) {
    if (mutations.length >= Math.min(TOGETHER_MAX, room)) break;
    const mutation = drawMutator(random)(next, random);
    if (!mutation) continue;
    const { touches } = mutation;
    if (touches === 'all') {
      if (mutations.length > 0) continue;
      return { mutations: [mutation], next: mutation.state };
    }
    if (touches.some((name) => taken.has(name))) continue;
    for (const name of touches) taken.add(name);
    mutations.push(mutation);
    next = mutation.state;
  }
  return { mutations, next };
}

const TOTAL = MUTATORS.reduce((sum, [weight]) => sum + weight, 0);

function drawMutator(random: Random): Mutator {
  let left = random.below(TOTAL);
  for (const [weight, mutator] of MUTATORS) {
    left -= weight;
    if (left < 0) return mutator;
  }
  throw new Error('the weights do not add up');
}
