import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, normalize, relative, sep } from 'node:path';
import { didYouMean } from '../../domain/did-you-mean.ts';
import { Refusal } from '../../domain/errors.ts';
import { environmentValues } from './environment-values.ts';

const VERSIONS = 'versions.yaml';
const HELMFILES = ['helmfile.yaml.gotmpl', 'helmfile.yaml'];
const NOT_SEARCHED = new Set(['.git', 'node_modules']);
const DEPTH_MAX = 6;

/**
 * The `versions.yaml` of an environment or a folder, as a path within the repository. Throws a refusal that
 * says what there is when the name fits nothing or only helmfile itself could tell.
 */
export async function findVersionsFile(repository: string, name: string): Promise<string> {
  const declared = await declaredValues(repository);
  const paths = declared.get(name);
  const files = (paths ?? []).filter((path) => basename(path) === VERSIONS);
  const [file] = files;
  if (file !== undefined) {
    if (files.length === 1) return checked(repository, file, name);
    const list = files.join(', ');
    throw new Refusal('invalid', `${name} reads several: ${list}. Name the folder instead.`);
  }
  for (const folder of [name, join('environments', name)]) {
    const candidate = join(folder, VERSIONS);
    if (isInside(candidate) && (await isFile(join(repository, candidate)))) return candidate;
  }
  const folders = await foldersWithVersions(repository);
  const known = [...new Set([...declared.keys(), ...folders])];
  const meant = didYouMean(name, known);
  const list = known.length === 0 ? `there is no ${VERSIONS} here` : `known: ${known.join(', ')}`;
  const hint = meant === undefined ? list : `did you mean "${meant}"?`;
  const why = declared.has(name)
    ? `which ${VERSIONS} ${name} reads cannot be told without helmfile; name its folder (${folders.join(', ')})`
    : `no environment and no folder is called "${name}"; ${hint}`;
  throw new Refusal('not-found', `In ${repository}, ${why}.`);
}

/** The environments that a repository's helmfile declares in its own text. */
export async function declaredEnvironments(repository: string): Promise<string[]> {
  return [...(await declaredValues(repository)).keys()];
}

async function checked(repository: string, path: string, name: string): Promise<string> {
  const file = normalize(path);
  if (!isInside(file)) {
    throw new Refusal('invalid', `${name} reads ${path}, which is outside of the repository.`);
  }
  if (await isFile(join(repository, file))) return file;
  throw new Refusal('not-found', `${name} reads ${path}, which is not there.`);
}

async function declaredValues(repository: string) {
  for (const name of HELMFILES) {
    const text = await readFile(join(repository, name), 'utf8').catch(() => undefined);
    if (text !== undefined) return environmentValues(text);
  }
  return new Map<string, string[] | undefined>();
}

async function foldersWithVersions(repository: string): Promise<string[]> {
  const found: string[] = [];
  const search = async (folder: string, depth: number): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    if (entries.some((entry) => entry.isFile() && entry.name === VERSIONS)) {
      found.push(relative(repository, folder) || '.');
    }
    if (depth >= DEPTH_MAX) return;
    for (const entry of entries) {
      if (!entry.isDirectory() || NOT_SEARCHED.has(entry.name)) continue;
      await search(join(folder, entry.name), depth + 1);
    }
  };
  await search(repository, 0);
  return found.sort();
}

function isInside(path: string): boolean {
  return !path.startsWith(`..${sep}`) && path !== '..' && !path.startsWith(sep);
}

async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ?? false;
}
