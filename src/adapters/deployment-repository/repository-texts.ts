import { lstat, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileChange } from '../../domain/diff/file.ts';
import { Refusal } from '../../domain/errors.ts';
import { readText, replaceText } from './text-files.ts';

/** Files that name others, or that helmfile, Drone or a shell reads. */
const NEEDED = /\.(ya?ml|gotmpl|sh)$/;
const MENTIONING = /\.(md|json|mk|txt)$|(^|\/)(Makefile|CODEOWNERS|Jenkinsfile)$/;
const FILES_MAX = 20_000;

/**
 * Reads the files of a deployment repository that import looks at, by path. Links, and files that are not
 * there any more, are left out. Throws a refusal for one that matters and is not UTF-8.
 */
export async function readTexts(
  folder: string,
  paths: readonly string[],
): Promise<Map<string, string>> {
  if (paths.length > FILES_MAX) {
    throw new Refusal('invalid', `${folder} has more than ${FILES_MAX} files.`);
  }
  const texts = new Map<string, string>();
  for (const path of paths.toSorted()) {
    const needed = NEEDED.test(path);
    if (!needed && !MENTIONING.test(path)) continue;
    const file = join(folder, path);
    const found = await lstat(file).catch(() => undefined);
    if (!found?.isFile()) continue;
    const text = await readText(file).catch((error: unknown) => {
      if (needed) throw error;
      return undefined;
    });
    if (text !== undefined) texts.set(path, text);
  }
  return texts;
}

/** Makes changes in a folder, and returns every path that they touch. */
export async function makeChanges(
  folder: string,
  changes: readonly FileChange[],
): Promise<string[]> {
  for (const { path, newPath, before, after } of changes) {
    if (path === undefined) {
      await writeFile(join(folder, newPath), after, { flag: 'wx' });
      continue;
    }
    if (after !== before) await replaceText(join(folder, path), after);
    if (newPath !== path) await rename(join(folder, path), join(folder, newPath));
  }
  return [...new Set(changes.flatMap(({ path, newPath }) => [path ?? newPath, newPath]))];
}
