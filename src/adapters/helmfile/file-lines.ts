import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Helmfile evaluates a file part by part, cut at its `---` lines, and counts lines from there: says the
 * lines of the file instead, as people count them.
 *
 * @param tree the folder that helmfile ran in
 */
export function withFileLines(errorOutput: string, tree: string): string {
  return errorOutput.replace(
    /(error during (\S+?)\.part\.(\d+) parsing: template: )stringTemplate:(\d+)/g,
    (whole, before: string, file: string, part: string, line: string) => {
      const above = linesBefore(join(tree, file), Number(part));
      return above === undefined ? whole : `${before}${file}:${above + Number(line)}`;
    },
  );
}

function linesBefore(file: string, part: number): number | undefined {
  try {
    const parts = readFileSync(file, 'utf8').split(/\r?\n---\r?\n/);
    return parts.slice(0, part).reduce((lines, text) => lines + text.split('\n').length + 1, 0);
  } catch {
    // An included helmfile that is not in this folder: helmfile's own count has to do.
    return undefined;
  }
}
