import { randomUUID } from 'node:crypto';
import { chmod, lstat, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { Refusal } from '../../domain/errors.ts';

/** Reads a file as UTF-8 that can be written back byte by byte; throws a refusal for any other. */
export async function readText(file: string): Promise<string> {
  const found = await lstat(file);
  if (found.isSymbolicLink()) {
    throw new Refusal('invalid', `${file} is a link; name the file that it points to.`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(file));
  } catch {
    throw new Refusal('invalid', `${file} is not UTF-8; convert it first.`);
  }
}

/** Replaces a file's text at once, so that whoever reads it sees the old or the new, and keeps its mode. */
export async function replaceText(file: string, text: string): Promise<void> {
  const fresh = `${file}.${randomUUID()}`;
  try {
    await writeFile(fresh, text, { flag: 'wx' });
    await chmod(fresh, (await stat(file)).mode);
    await rename(fresh, file);
  } finally {
    await rm(fresh, { force: true });
  }
}
