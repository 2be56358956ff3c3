import { unifiedLines } from './text.ts';

/** A file before and after a change, which may be a new one or get another name. */
export interface FileChange {
  /** Undefined for a new file. */
  path?: string;
  newPath: string;
  before: string;
  after: string;
}

/** A change as `git apply` takes it. */
export function fileDiff({ path, newPath, before, after }: FileChange): string[] {
  const renamed = path !== undefined && path !== newPath;
  const lines = unifiedLines(split(before), split(after), Infinity);
  return [
    `diff --git a/${path ?? newPath} b/${newPath}`,
    ...(path === undefined ? ['new file mode 100644'] : []),
    ...(renamed ? [`rename from ${path}`, `rename to ${newPath}`] : []),
    ...(lines.length === 0
      ? []
      : [`--- ${path === undefined ? '/dev/null' : `a/${path}`}`, `+++ b/${newPath}`, ...lines]),
  ];
}

function split(text: string) {
  if (text === '') return [];
  const lines = text.replace(/\n$/, '').split('\n');
  const open = text.endsWith('\n') ? '' : '\n\\ No newline at end of file';
  return lines.map((line, at) => {
    const shown = at === lines.length - 1 ? `${line}${open}` : line;
    return { text: shown, identity: shown, hidden: false };
  });
}
