import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isSigned } from '../../src/http/signature.ts';
import { sign } from '../support/app.ts';

const BODY = Buffer.from('Hello, World!');
const SECRET = "It's a Secret to Everybody";
const DIGEST = '757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';

it('accepts the example of GitHub’s documentation', () => {
  expect(isSigned(BODY, `sha256=${DIGEST}`, [SECRET])).toBe(true);
  expect(isSigned(BODY, `sha256=${DIGEST}`, ['another', SECRET])).toBe(true);
});

it('refuses what is not there or not one text', () => {
  for (const header of [undefined, '', [`sha256=${DIGEST}`], 'sha256=']) {
    expect(isSigned(BODY, header, [SECRET])).toBe(false);
  }
});

it('refuses without a secret', () => {
  expect(isSigned(BODY, `sha256=${DIGEST}`, [])).toBe(false);
  expect(isSigned(BODY, `sha256=${'0'.repeat(64)}`, [])).toBe(false);
});

it('refuses every near miss', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (bytes, at, flip) => {
        const body = Buffer.from(bytes);
        const signature = sign(body, SECRET);
        const changed = Buffer.from(bytes);
        const index = at % changed.length;
        changed[index] = (changed[index] ?? 0) ^ flip;
        return isSigned(body, signature, [SECRET]) && !isSigned(changed, signature, [SECRET]);
      },
    ),
  );
});
