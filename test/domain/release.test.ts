import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DEPLOYMENT_PHASES,
  END_PHASES,
  isEnd,
  releasePhase,
  satisfies,
} from '../../src/domain/phases.ts';
import { decideNext, type EnvironmentState } from '../../src/domain/release.ts';

const running = { cancelled: false };

describe('a release walks the graph of its environments', () => {
  test('an environment without predecessors starts at once', () => {
    const environments = [state('cs-qa', []), state('wcs-qa', ['cs-qa'])];
    expect(decideNext(environments, running)).toEqual({
      submit: ['cs-qa'],
      skip: [],
      finished: false,
    });
  });

  test.each(['succeeded', 'unchanged'] as const)('%s lets the next one start', (phase) => {
    const environments = [state('cs-qa', [], phase), state('wcs-qa', ['cs-qa'])];
    expect(decideNext(environments, running).submit).toEqual(['wcs-qa']);
  });

  test.each(END_PHASES.filter((phase) => !satisfies(phase)))('%s skips the next one', (phase) => {
    const environments = [state('cs-qa', [], phase), state('wcs-qa', ['cs-qa'])];
    const skip = [{ environment: 'wcs-qa', because: 'cs-qa' }];
    expect(decideNext(environments, running)).toEqual({ submit: [], skip, finished: false });
  });

  test('a predecessor outside the release counts as untouched', () => {
    expect(decideNext([state('wcs-qa', ['cs-qa'])], running).submit).toEqual(['wcs-qa']);
  });

  test('after a cancel nothing starts', () => {
    expect(decideNext([state('cs-qa', [])], { cancelled: true }).submit).toEqual([]);
  });

  test('no environment starts before all its predecessors succeeded, whatever the graph', () => {
    fc.assert(
      fc.property(graphs(), (environments) => {
        const byName = new Map(environments.map((one) => [one.name, one]));
        for (const name of decideNext(environments, running).submit) {
          const before = byName.get(name)?.after ?? [];
          expect(
            before.every((one) => {
              const phase = byName.get(one)?.phase;
              return phase !== undefined && phase !== 'unsubmitted' && satisfies(phase);
            }),
          ).toBe(true);
        }
      }),
    );
  });

  test('every graph comes to its end, whatever the ends of its deployments', () => {
    fc.assert(
      fc.property(graphs(), fc.array(fc.constantFrom(...END_PHASES)), (environments, ends) => {
        const states = environments.map((one): EnvironmentState => ({
          ...one,
          phase: 'unsubmitted',
        }));
        for (let round = 0; round <= states.length; round += 1) {
          const next = decideNext(states, running);
          if (next.finished) break;
          expect(next.submit.length + next.skip.length).toBeGreaterThan(0);
          for (const one of states) {
            if (next.submit.includes(one.name)) one.phase = ends.shift() ?? 'succeeded';
            if (next.skip.some(({ environment }) => environment === one.name)) {
              one.phase = 'skipped';
            }
          }
        }
        expect(decideNext(states, running).finished).toBe(true);
      }),
    );
  });
});

describe('the phase of a release', () => {
  test.each([
    [['queued', 'queued'], 'queued'],
    [['succeeded', 'applying'], 'running'],
    [['succeeded', 'succeeded'], 'succeeded'],
    [['succeeded', 'unchanged'], 'succeeded'],
    [['failed', 'skipped'], 'failed'],
    [['errored', 'failed'], 'errored'],
    [['superseded', 'cancelled'], 'cancelled'],
  ] as const)('of %j is %s', (phases, expected) => {
    expect(releasePhase(phases)).toBe(expected);
  });

  test('is an end exactly when every deployment has ended', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...DEPLOYMENT_PHASES), { minLength: 1 }), (phases) => {
        const phase = releasePhase(phases);
        const ended = phase !== 'queued' && phase !== 'running';
        expect(ended).toBe(phases.every(isEnd));
      }),
    );
  });
});

type Phase = EnvironmentState['phase'];

function state(name: string, after: string[], phase: Phase = 'unsubmitted'): EnvironmentState {
  return { name, after, phase };
}

/** Acyclic graphs: each environment comes after some of those before it. */
function graphs(): fc.Arbitrary<EnvironmentState[]> {
  return fc
    .array(fc.tuple(fc.nat(), fc.constantFrom('unsubmitted', ...DEPLOYMENT_PHASES)), {
      minLength: 1,
      maxLength: 8,
    })
    .map((seeds) =>
      seeds.map(([bits, phase], at) =>
        state(
          `e${at}`,
          seeds
            .slice(0, at)
            .flatMap((_one, before) => ((bits >> before) & 1 ? [`e${before}`] : [])),
          phase,
        ),
      ),
    );
}
