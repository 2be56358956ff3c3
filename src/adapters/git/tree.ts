import { SlipwayError } from '../../domain/errors.ts';

/** Bounds of a deployment repository's tree; reliability: hostile repositories. */
const FILES_MAX = 20_000;
const BYTES_MAX = 200 * 1024 * 1024;
const PATH_MAX = 4_096;

/**
 * Refuses a tree that could reach outside itself or exhaust the worker: links, submodules, control
 * characters in names, too many or too large files.
 *
 * @param listing output of `git ls-tree -r -z -l`
 */
export function checkTree(listing: string): void {
  const entries = listing.split('\0').filter((entry) => entry !== '');
  if (entries.length > FILES_MAX) {
    refuse(`it has ${entries.length} files, more than ${FILES_MAX}`);
  }
  let bytes = 0;
  for (const entry of entries) {
    const tab = entry.indexOf('\t');
    const [mode, , , size] = entry.slice(0, tab).split(/ +/);
    const path = entry.slice(tab + 1);
    if (mode === '120000') refuse(`${path} is a symbolic link; put the file itself in its place`);
    if (mode === '160000') refuse(`${path} is a submodule; copy its files into the repository`);
    if (path.length > PATH_MAX || /[\u0000-\u001f\u007f]/.test(path)) {
      refuse(`the name ${JSON.stringify(path.slice(0, 80))} has control characters or is too long`);
    }
    bytes += Number(size);
  }
  if (bytes > BYTES_MAX) refuse(`its files have ${bytes} bytes, more than ${BYTES_MAX}`);
}

function refuse(why: string): never {
  throw new SlipwayError('repository-refused', `The commit cannot be released: ${why}.`);
}
