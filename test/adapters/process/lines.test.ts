import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LineSplitter } from '../../../src/adapters/process/lines.ts';

const PIECE = 64 * 1024;

it('splits at line feeds, drops carriage returns before them, and keeps empty lines', () => {
  expect(linesOf([Buffer.from('one\r\n\n  two\rstill two\nlast')])).toEqual([
    'one',
    '',
    '  two\rstill two',
    'last',
  ]);
});

it('ends without an empty line when the last one is complete', () => {
  expect(linesOf([Buffer.from('one\n')])).toEqual(['one']);
  expect(linesOf([])).toEqual([]);
});

it('gives the same lines however the bytes are cut into chunks', () => {
  const byte = fc.oneof(
    fc.constantFrom(...Buffer.from('ab\n\r€😀')),
    fc.integer({ min: 0, max: 255 }),
  );
  fc.assert(
    fc.property(fc.array(byte), fc.array(fc.nat(8)), (bytes, sizes) => {
      const whole = Buffer.from(bytes);
      expect(linesOf(chunked(whole, sizes))).toEqual(linesOf([whole]));
    }),
    { numRuns: 2_000 },
  );
});

it('gives the same pieces of a line that is too long however it is cut into chunks', () => {
  const around = fc.integer({ min: PIECE - 3, max: PIECE + 3 });
  const ending = fc.constantFrom('', '\n', '\r\n', '\r', '\rx\n');
  const filling = fc.constantFrom('x', '€', '😀', 'x😀');
  fc.assert(
    fc.property(
      fc.array(fc.tuple(around, filling, ending), { minLength: 1, maxLength: 3 }),
      fc.array(fc.integer({ min: 1, max: 100_000 })),
      (parts, sizes) => {
        const text = parts.map(([length, fill, end]) => fill.repeat(length) + end).join('');
        const whole = Buffer.from(text);
        const lines = linesOf([whole]);
        expect(sameLines(linesOf(chunked(whole, sizes)), lines)).toBe(true);
        expect(lines.every((line) => line.length <= PIECE && !/\p{Surrogate}/u.test(line))).toBe(
          true,
        );
        expect(lines.join('') === text.replace(/\r?\n|\r$/g, '')).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});

it('hands on an endless line while it is still being written', () => {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (let at = 0; at < 20; at += 1) splitter.write(Buffer.alloc(1024 * 1024, 'x'));
  expect(lines.join('').length).toBeGreaterThan(20 * 1024 * 1024 - 2 * PIECE);
});

function linesOf(chunks: readonly Buffer[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.write(chunk);
  splitter.end();
  return lines;
}

function chunked(whole: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    chunks.push(whole.subarray(at, at + size));
    at += size;
  }
  chunks.push(whole.subarray(at));
  return chunks;
}

/** Long lines make an endless difference; only whether there is one matters. */
function sameLines(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((line, at) => line === others[at]);
}
