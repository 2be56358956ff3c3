import { expect, test } from 'vitest';
import { releaseNote, type ReleaseStart } from '../../src/domain/release-note.ts';

const NOW = '2026-01-09T18:00:00.000Z';
const handOver = { error: null, nextTryAt: '2026-01-09T18:01:00.000Z', parked: false };

test.each<[string, ReleaseStart, string]>([
  ['it just came in', { handOver }, 'Not handed over to Temporal yet.'],
  [
    'Temporal is away',
    { handOver: { ...handOver, error: 'Temporal does not answer' } },
    'Not handed over to Temporal yet: Temporal does not answer. Tried again at Fri 18:01 UTC.',
  ],
  [
    'it is parked',
    { handOver: { ...handOver, error: 'nonsense', parked: true } },
    'Parked, because it failed by its own fault: nonsense. Try it again by POST /inbox/:id/retry.',
  ],
  ['its workflow runs', {}, 'Reading from git what the commit says.'],
  [
    'git is away',
    { git: { sentence: 'The token is refused.', since: '2026-01-09T17:00:00.000Z' } },
    'Git cannot be read since Fri 17:00 UTC: The token is refused.',
  ],
])('%s', (_, start, sentence) => {
  expect(releaseNote(start, NOW)).toBe(sentence);
});
