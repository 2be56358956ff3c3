import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRedactor } from '../../src/domain/redact.ts';

test('a secret is hidden wherever it stands, plain and encoded', () => {
  const secret = 'p@ss/word+"1';
  const redact = createRedactor([secret], (value) => [btoa(value)]);
  const forms = [secret, encodeURIComponent(secret), JSON.stringify(secret), btoa(secret)];
  for (const form of forms) {
    expect(redact(`before ${form} after`)).toMatch(/^before "?‹masked›"? after$/);
  }
});

test('each line of a secret with several lines is hidden', () => {
  const redact = createRedactor(['first-line-of-key\nsecond-line-of-key']);
  expect(redact('x second-line-of-key y')).toBe('x ‹masked› y');
});

test('no secret survives, whatever surrounds it', () => {
  const secrets = fc
    .string({ minLength: 8, maxLength: 40 })
    .filter((text) => !'‹masked›'.includes(text));
  fc.assert(
    fc.property(secrets, fc.string(), fc.string(), (secret, before, after) => {
      expect(createRedactor([secret])(`${before}${secret}${after}`).includes(secret)).toBe(false);
    }),
  );
});

test('text without secrets stays as it is', () => {
  expect(createRedactor(['correct horse'])('nothing to hide')).toBe('nothing to hide');
});
