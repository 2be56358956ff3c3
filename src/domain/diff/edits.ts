/** One step from an old list to a new one; `old` and `new` are positions in them. */
export type Edit =
  | { kind: 'same'; old: number; new: number }
  | { kind: 'removed'; old: number }
  | { kind: 'added'; new: number };

/** More differences than this are no longer read one by one, and their search would take long. */
const EDITS_MAX = 1_000;

/**
 * The shortest way from one list of lines to another (Myers), removals before additions. Lists that
 * have little in common are replaced whole.
 */
export function editsBetween(before: readonly string[], after: readonly string[]): Edit[] {
  let start = 0;
  const shorter = Math.min(before.length, after.length);
  while (start < shorter && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  const middle = shortest(
    before.slice(start, before.length - end),
    after.slice(start, after.length - end),
  );
  return [
    ...Array.from({ length: start }, (_, at): Edit => ({ kind: 'same', old: at, new: at })),
    ...removalsFirst(middle).map((edit) => shifted(edit, start)),
    ...Array.from({ length: end }, (_, at): Edit => {
      const back = end - at;
      return { kind: 'same', old: before.length - back, new: after.length - back };
    }),
  ];
}

function shifted(edit: Edit, by: number): Edit {
  switch (edit.kind) {
    case 'same':
      return { kind: 'same', old: edit.old + by, new: edit.new + by };
    case 'removed':
      return { kind: 'removed', old: edit.old + by };
    case 'added':
      return { kind: 'added', new: edit.new + by };
  }
}

/** Within what changes in one place, people read what was before what is. */
function removalsFirst(edits: readonly Edit[]): Edit[] {
  const sorted: Edit[] = [];
  let added: Edit[] = [];
  for (const edit of edits) {
    if (edit.kind === 'added') {
      added.push(edit);
      continue;
    }
    if (edit.kind === 'same') {
      sorted.push(...added);
      added = [];
    }
    sorted.push(edit);
  }
  return [...sorted, ...added];
}

function shortest(before: readonly string[], after: readonly string[]): Edit[] {
  const reach = furthestReaches(before, after);
  return reach ? walkBack(reach, before.length, after.length) : replaced(before, after);
}

function replaced(before: readonly string[], after: readonly string[]): Edit[] {
  return [
    ...before.map((_, old): Edit => ({ kind: 'removed', old })),
    ...after.map((_, at): Edit => ({ kind: 'added', new: at })),
  ];
}

/** How far into `before` each diagonal gets, by number of edits; diagonal k is at k + edits. */
type Reach = Int32Array;

function furthestReaches(before: readonly string[], after: readonly string[]): Reach[] | undefined {
  const reaches: Reach[] = [];
  const most = Math.min(before.length + after.length, EDITS_MAX);
  for (let edits = 0; edits <= most; edits += 1) {
    const last = reaches.at(-1);
    const reach = new Int32Array(2 * edits + 1);
    for (let k = -edits; k <= edits; k += 2) {
      let old = last ? next(last, edits - 1, k).old : 0;
      while (old < before.length && old - k < after.length && before[old] === after[old - k]) {
        old += 1;
      }
      reach[k + edits] = old;
      if (old >= before.length && old - k >= after.length) return [...reaches, reach];
    }
    reaches.push(reach);
  }
  return undefined;
}

/** The better way onto a diagonal: one line added, or one removed. */
function next(reach: Reach, edits: number, k: number): { old: number; from: number } {
  const byAdding = reach[k + 1 + edits] ?? -1;
  const byRemoving = reach[k - 1 + edits] ?? -1;
  const mustAdd = k === -edits - 1;
  const mustRemove = k === edits + 1;
  if (mustAdd || (!mustRemove && byRemoving < byAdding)) return { old: byAdding, from: k + 1 };
  return { old: byRemoving + 1, from: k - 1 };
}

function walkBack(reaches: readonly Reach[], oldLength: number, newLength: number): Edit[] {
  const edits: Edit[] = [];
  let old = oldLength;
  let at = newLength;
  for (let count = reaches.length - 1; count > 0; count -= 1) {
    const last = reaches[count - 1];
    if (!last) break;
    const k = old - at;
    const step = next(last, count - 1, k);
    while (old > step.old) edits.push({ kind: 'same', old: (old -= 1), new: (at -= 1) });
    if (step.from > k) edits.push({ kind: 'added', new: (at -= 1) });
    else edits.push({ kind: 'removed', old: (old -= 1) });
  }
  while (old > 0 && at > 0) edits.push({ kind: 'same', old: (old -= 1), new: (at -= 1) });
  return edits.reverse();
}
