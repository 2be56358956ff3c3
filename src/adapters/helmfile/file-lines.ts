import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { helmfileAt } from '../../domain/why/places.ts';

/**
 * Helmfile evaluates a file part by part, cut at its `---` lines, and counts lines from there: says the
 * lines of the file instead, as people count them.
 *
 * @param tree the folder that helmfile ran in
 */
export function withFileLines(errorOutput: string, tree: string): string {
  return errorOutput.replace(
    /(error during (\S+?)\.part\.(\d+) parsing: template: )stringTemplate:(\d+)/g,
    (whole, before: string, named: string, part: string, line: string) => {
      // Helmfile goes into the folder of a helmfile that another one includes.
      const file = helmfileAt(errorOutput) ?? named;
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
    // Where it is no file of this folder, helmfile's own count has to do.
    return undefined;
  }
}
