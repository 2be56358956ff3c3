import { editsBetween, type Edit } from './edits.ts';
import type { Line } from './print.ts';

const CONTEXT = 3;
const LINE_MAX = 1_000;

/**
 * The lines of a unified diff, without its header.
 *
 * @param lineMax characters of a line that are shown
 */
export function unifiedLines(
  before: readonly Line[],
  after: readonly Line[],
  lineMax = LINE_MAX,
): string[] {
  const edits = editsBetween(
    before.map(({ identity }) => identity),
    after.map(({ identity }) => identity),
  );
  const hiddenBefore = new Set<string>();
  for (const edit of edits) {
    const line = edit.kind === 'removed' ? before[edit.old] : undefined;
    if (line?.hidden) hiddenBefore.add(line.text);
  }
  const shortened = (text: string) => cut(text, lineMax);
  const textOf = (edit: Edit): string => {
    switch (edit.kind) {
      case 'same':
        return ` ${shortened(before[edit.old]?.text ?? '')}`;
      case 'removed':
        return `-${shortened(before[edit.old]?.text ?? '')}`;
      case 'added': {
        const line = after[edit.new];
        // Both look the same; that they are not is all there is to say.
        const changed = line?.hidden === true && hiddenBefore.has(line.text);
        const text = line?.text ?? '';
        return `+${shortened(changed ? text.replace(/\(hidden\)$/, 'changed (hidden)') : text)}`;
      }
    }
  };
  return hunksOf(edits).flatMap(({ from, to }) => {
    const hunk = edits.slice(from, to);
    return [headerOf(edits.slice(0, from), hunk), ...hunk.map(textOf)];
  });
}

/** Where something changes, with the lines around it. */
function hunksOf(edits: readonly Edit[]): { from: number; to: number }[] {
  const hunks: { from: number; to: number }[] = [];
  edits.forEach(({ kind }, index) => {
    if (kind === 'same') return;
    const from = Math.max(0, index - CONTEXT);
    const to = Math.min(edits.length, index + CONTEXT + 1);
    const last = hunks.at(-1);
    if (last && from <= last.to) last.to = to;
    else hunks.push({ from, to });
  });
  return hunks;
}

function headerOf(above: readonly Edit[], hunk: readonly Edit[]): string {
  const range = (other: Edit['kind']) => {
    const count = hunk.filter(({ kind }) => kind !== other).length;
    const start = above.filter(({ kind }) => kind !== other).length + (count === 0 ? 0 : 1);
    return count === 1 ? `${start}` : `${start},${count}`;
  };
  return `@@ -${range('added')} +${range('removed')} @@`;
}

function cut(line: string, max: number): string {
  if (line.length <= max) return line;
  return `${line.slice(0, max)}… (${line.length - max} characters more)`;
}
