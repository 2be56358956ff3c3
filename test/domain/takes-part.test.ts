import { expect, test } from 'vitest';
import { isUntouched } from '../../src/domain/takes-part.ts';

const asked = { inputs: 'sha256:ab', descendsFrom: 'b'.repeat(40) };
const known = {
  acceptedCommit: 'b'.repeat(40),
  acceptedInputs: 'sha256:ab',
  newestPhase: 'succeeded' as const,
};

test('a merge that says the same of an environment leaves it untouched, also where the last one failed', () => {
  expect(isUntouched(asked, known)).toBe(true);
  for (const newestPhase of ['failed', 'rolled-back', 'cancelled', 'unchanged'] as const) {
    expect(isUntouched(asked, { ...known, newestPhase })).toBe(true);
  }
});

test.each([
  ['its inputs changed', { inputs: 'sha256:cd' }, {}],
  ['nobody could read its inputs', { inputs: undefined }, {}],
  ['nobody knows what it accepted last', {}, { acceptedInputs: null }],
  ['it never accepted a commit', {}, { acceptedCommit: null }],
  ['it accepted another commit meanwhile', {}, { acceptedCommit: 'c'.repeat(40) }],
  ['the commit does not descend from that', { descendsFrom: undefined }, {}],
  ['something waits there', {}, { newestPhase: 'queued' as const }],
  ['something runs there', {}, { newestPhase: 'applying' as const }],
  ['Slipway could not do the last one', {}, { newestPhase: 'errored' as const }],
])('it takes part when %s', (_when, change, state) => {
  const { inputs, descendsFrom } = { ...asked, ...change };
  const said = { ...(inputs && { inputs }), ...(descendsFrom && { descendsFrom }) };
  expect(isUntouched(said, { ...known, ...state })).toBe(false);
});
