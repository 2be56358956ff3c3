import type { FileChange } from '../diff/file.ts';
import { folderOf, pathInTree } from '../gate/paths.ts';
import { rewriteHyphenatedPaths } from './hyphenated-paths.ts';
import type { Note } from './note.ts';
import { withNewNames } from './renamed-mentions.ts';
import { referredStates, splitState } from './state-parts.ts';
import { templateActions } from './template-actions.ts';

const STATE = /(^|\/)helmfile\.ya?ml(\.gotmpl)?$|(^|\/)helmfile\.d\/[^/]+\.ya?ml(\.gotmpl)?$/;

/**
 * What helmfile 1 wants otherwise than helmfile 0 did: environments and releases in parts of their own,
 * templates in files called `.gotmpl` (with every mention of them), and no hyphen in a field path.
 *
 * @param files text by path within the repository
 */
export function modernState(files: ReadonlyMap<string, string>): {
  changes: FileChange[];
  notes: Note[];
} {
  const notes: Note[] = [];
  const todo = (file: string, line: number, text: string) =>
    notes.push({ kind: 'to do', file, line, text });
  const states = stateFiles(files, todo);
  const renamed = new Map<string, string>();
  for (const path of states) {
    const source = files.get(path) ?? '';
    if (path.endsWith('.gotmpl') || !isTemplate(source)) continue;
    const newPath = `${path}.gotmpl`;
    if (!files.has(newPath)) renamed.set(path, newPath);
    else todo(path, 0, `its templates belong into ${newPath}, which is there already`);
  }
  const changes: FileChange[] = [];
  for (const [path, before] of files) {
    let after = states.has(path) ? splitText(path, before, todo) : before;
    if (path.endsWith('.gotmpl') || renamed.has(path)) after = withIndex(path, before, after, todo);
    after = withNewNames(path, after, { renamed, files, todo });
    const newPath = renamed.get(path) ?? path;
    if (after !== before || newPath !== path) changes.push({ path, newPath, before, after });
  }
  return { changes, notes };
}

type Todo = (file: string, line: number, text: string) => void;

/** helmfiles by their name, and what they name as bases and further helmfiles. */
function stateFiles(files: ReadonlyMap<string, string>, todo: Todo): ReadonlySet<string> {
  const states = new Set([...files.keys()].filter((path) => STATE.test(path)));
  for (const path of states) {
    for (const { line, text } of referredStates(files.get(path) ?? '')) {
      if (/[*?[]/.test(text)) {
        const pattern = `the pattern ${text} must fit files called .gotmpl too`;
        if (!/gotmpl|\*$/.test(text)) todo(path, line, pattern);
        continue;
      }
      const target = pathInTree('/', folderOf(path), text);
      if (target !== undefined && files.has(target)) states.add(target);
    }
  }
  return states;
}

/** A text that names the release to come was no template of helmfile 0, which knew none there. */
function isTemplate(source: string): boolean {
  const actions = templateActions(source);
  const namesRelease = actions.some(({ tokens }) =>
    tokens.some(({ kind, text }) => kind === 'path' && /^\.Release\b/.test(text)),
  );
  return actions.length > 0 && !namesRelease;
}

function splitText(path: string, before: string, todo: Todo): string {
  const split = splitState(before);
  if (split.state === 'split') return split.text;
  if (split.state === 'by-hand') {
    const text = `environments and releases belong into parts of their own, and ${split.why}`;
    todo(path, split.line, text);
  }
  return before;
}

function withIndex(path: string, before: string, after: string, todo: Todo): string {
  for (const { line, path: field } of rewriteHyphenatedPaths(before).left) {
    todo(path, line, `Go templates refuse the hyphen in ${field}; write it with index`);
  }
  return rewriteHyphenatedPaths(after).text;
}
