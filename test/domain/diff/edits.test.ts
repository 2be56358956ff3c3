import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editsBetween } from '../../../src/domain/diff/edits.ts';
import { unifiedLines } from '../../../src/domain/diff/text.ts';

const line = (text: string) => ({ text, identity: text, hidden: false });
const unified = (before: readonly string[], after: readonly string[]) =>
  unifiedLines(before.map(line), after.map(line));

describe('a unified diff', () => {
  test('shows three lines around what changes, removals first', () => {
    const before = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12', '13'];
    const after = before.flatMap((text) =>
      text === '5' ? ['five', 'V'] : text === '13' ? [] : [text],
    );
    expect(unified(before, after)).toEqual([
      ...['@@ -2,7 +2,8 @@', ' 2', ' 3', ' 4', '-5', '+five', '+V', ' 6', ' 7', ' 8'],
      ...['@@ -10,4 +11,3 @@', ' 10', ' 11', ' 12', '-13'],
    ]);
    expect(unified(before, [...before, '14'])).toEqual([
      ...['@@ -11,3 +11,4 @@', ' 11', ' 12', ' 13', '+14'],
    ]);
  });

  test('is empty where nothing differs', () => {
    expect(unified(['a', 'b'], ['a', 'b'])).toEqual([]);
  });

  test('replaces texts that have little in common, and cuts endless lines', () => {
    const many = (prefix: string) => Array.from({ length: 3_000 }, (_, n) => `${prefix}${n}`);
    expect(unified(many('a'), many('b'))).toHaveLength(6_001);
    expect(unified([], ['x'.repeat(5_000_000)])[1]).toHaveLength(1_028);
  });

  const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 30 });
  test('leads from one text to the other in as few edits as there can be', () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const edits = editsBetween(before, after);
        const kept = edits.filter(({ kind }) => kind !== 'added');
        const made = edits.filter(({ kind }) => kind !== 'removed');
        expect(kept.map((edit) => ('old' in edit ? edit.old : -1))).toEqual([...before.keys()]);
        expect(made.map((edit) => ('new' in edit ? edit.new : -1))).toEqual([...after.keys()]);
        const same = edits.filter((edit) => edit.kind === 'same');
        expect(same.every((edit) => before[edit.old] === after[edit.new])).toBe(true);
        expect(same).toHaveLength(commonLength(before, after));
      }),
      { numRuns: 1_000 },
    );
  });
});

/** The length of the longest common subsequence, the slow way. */
function commonLength(a: readonly string[], b: readonly string[]): number {
  let row = new Array<number>(b.length + 1).fill(0);
  for (const item of a) {
    const next = [0];
    b.forEach((other, index) => {
      const skip = Math.max(next[index] ?? 0, row[index + 1] ?? 0);
      next.push(item === other ? (row[index] ?? 0) + 1 : skip);
    });
    row = next;
  }
  return row[b.length] ?? 0;
}
