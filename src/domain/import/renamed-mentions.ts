import { folderOf, pathInTree } from '../gate/paths.ts';

interface Renaming {
  /** New paths by the old ones. */
  renamed: ReadonlyMap<string, string>;
  /** Every file of the repository. */
  files: ReadonlyMap<string, unknown>;
  todo: (file: string, line: number, text: string) => void;
}

/**
 * The text of a file with the new names of renamed files in it. A path is meant from the file's own folder
 * where it leads to a file from there, else from the root. One that begins with a variable is left to people.
 */
export function withNewNames(
  file: string,
  text: string,
  { renamed, files, todo }: Renaming,
): string {
  let named = text;
  for (const base of new Set([...renamed.keys()].map(baseName))) {
    if (!named.includes(base)) continue;
    const escaped = base.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
    const mention = new RegExp(
      String.raw`(?<![\w./-])((?:[\w.-]+/)*)${escaped}(?![\w-]|\.\w)`,
      'g',
    );
    named = named.replaceAll(mention, (whole: string) => {
      const here = pathInTree('/', folderOf(file), whole) ?? '';
      const fromRoot = pathInTree('/', '', whole) ?? '';
      const newPath = renamed.get(files.has(here) ? here : fromRoot);
      return newPath === undefined ? whole : whole.slice(0, -base.length) + baseName(newPath);
    });
    const computed = new RegExp(
      String.raw`(?:\$\w+|\})(?:/[\w.-]+)*/${escaped}(?![\w-]|\.\w)`,
      'g',
    );
    for (const { index } of named.matchAll(computed)) {
      const line = named.slice(0, index).split('\n').length;
      todo(
        file,
        line,
        `${base} may be called ${base}.gotmpl here: its path begins with a variable`,
      );
    }
  }
  return named;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
