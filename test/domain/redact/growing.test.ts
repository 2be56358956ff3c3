import { expect, test } from 'vitest';
import { createGrowingRedactor } from '../../../src/domain/redact/growing.ts';

test('a redactor hides what it learned since, and all that it knew before', () => {
  const { text, learn } = createGrowingRedactor(['known-from-the-start']);
  const said = 'known-from-the-start and learned-later';
  expect(text(said)).toBe('‹masked› and learned-later');
  learn(['learned-later']);
  learn([]);
  expect(text(said)).toBe('‹masked› and ‹masked›');
});
