import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { evaluatesAlike } from '../../domain/plan/template-stability.ts';

/** What the files of a commit tell before any of them is evaluated. */
export interface TreeFacts {
  /** Over the paths and bytes of all files. */
  digest: string;
  /** Whether any file refers to a store of secrets in plain words. */
  holdsReferences: boolean;
  /** Whether helmfile is sure to read the same out of them each time. */
  evaluatesAlike: boolean;
}

/** Reads every file of a checked-out commit. */
export async function readTreeFacts(tree: string): Promise<TreeFacts> {
  const entries = await readdir(tree, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const files = await Promise.all(
    paths.sort().map(async (path) => {
      const text = await readFile(path, 'latin1');
      return {
        line: `${relative(tree, path)}\0${createHash('sha256').update(text, 'latin1').digest('hex')}`,
        holdsReferences: text.includes('ref+'),
        evaluatesAlike: evaluatesAlike(text),
      };
    }),
  );
  return {
    digest: createHash('sha256')
      .update(files.map(({ line }) => line).join('\0'))
      .digest('hex'),
    holdsReferences: files.some((file) => file.holdsReferences),
    evaluatesAlike: files.every((file) => file.evaluatesAlike),
  };
}
