import { expect, it } from 'vitest';
import { checkTree } from '../../../src/adapters/git/tree.ts';

const ID = 'a'.repeat(40);
const file = (path: string, size = 1, mode = '100644') => `${mode} blob ${ID} ${size}\t${path}\0`;

it('accepts ordinary files, also with spaces, tabs of the listing and other scripts in their names', () => {
  expect(() => {
    checkTree(file('a b/ünï.yaml') + file('run.sh', 12, '100755') + file('x'.repeat(300), 0));
  }).not.toThrow();
  expect(() => {
    checkTree('');
  }).not.toThrow();
});

it.each([
  ['more than 20,000 files', file('a').repeat(20_001), 'it has 20001 files'],
  ['more than 200 MiB', file('a', 150_000_000) + file('b', 150_000_000), '300000000 bytes'],
  ['a symbolic link', file('a') + file('b', 4, '120000'), 'b is a symbolic link'],
  ['a submodule', `160000 commit ${ID}       -\tlib\0`, 'lib is a submodule'],
  ['a tab in a name', file('a\tb'), '"a\\tb" has control characters'],
  ['an escape sequence in a name', file('a\u001b[2J'), 'control characters'],
  ['a path that is too long', file('x/'.repeat(3_000)), 'is too long'],
])('refuses %s and says so', (_what, listing, why) => {
  expect(() => {
    checkTree(listing);
  }).toThrow(why);
});
