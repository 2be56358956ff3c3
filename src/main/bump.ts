import { isAbsolute, join, relative } from 'node:path';
import { findVersionsFile } from '../adapters/deployment-repository/find-versions.ts';
import { readText, replaceText } from '../adapters/deployment-repository/text-files.ts';
import {
  readVersions,
  withVersions,
  type VersionEntry,
} from '../adapters/deployment-repository/versions-file.ts';
import { WorkTree } from '../adapters/git/work-tree.ts';
import { EXIT } from '../cli/exit-codes.ts';
import {
  bumpMessage,
  changesOf,
  checkKeys,
  checkVersion,
  inWords,
  parseBump,
  type BumpRequest,
  type VersionChange,
} from '../domain/bump.ts';
import { fileDiff } from '../domain/diff/file.ts';
import { Refusal } from '../domain/errors.ts';
import { LatestVersions } from './latest-versions.ts';

export interface BumpOptions {
  env: string[];
  repository: string;
  from?: string;
  latest?: boolean;
  allowMajor?: boolean;
  config?: string;
  dryRun?: boolean;
  commit?: boolean;
  push?: string;
}

interface Change {
  /** What was asked for: environments or folders. */
  names: string[];
  file: string;
  before: string;
  after: string;
  changes: VersionChange[];
  notes: string[];
}

/**
 * Sets versions in the `versions.yaml` of environments, and commits and pushes them where asked to.
 * Everything is checked before anything is written. Returns the exit code.
 */
export async function bump(args: readonly string[], options: BumpOptions): Promise<number> {
  const request = parseBump(args);
  checkRequest(request, options);
  const latest = options.latest ? await LatestVersions.open(options) : undefined;
  const changes: Change[] = [];
  for (const [file, names] of await filesOf(options)) {
    changes.push(await changeOf(file, names, request, options, latest));
  }
  const real = changes.filter(({ before, after }) => before !== after);
  for (const change of changes) print(change, options.dryRun ?? false);
  if (options.dryRun || real.length === 0) return EXIT.ok;

  const files = real.map(({ file }) => file);
  const commits = options.commit === true || options.push !== undefined;
  const tree = commits ? await WorkTree.open(options.repository, process.env) : undefined;
  await tree?.checkClean(files);
  for (const { file, after } of real) await replaceText(join(options.repository, file), after);
  if (!tree) return EXIT.ok;
  const byName = new Map(
    real.flatMap(({ names, changes: own }) => names.map((name) => [name, own])),
  );
  const commit = await tree.commit(files, bumpMessage(byName));
  process.stdout.write(`committed ${commit.slice(0, 12)}\n`);
  if (options.push === undefined) return EXIT.ok;
  await tree.push(options.push);
  process.stdout.write(`pushed to ${options.push}\n`);
  return EXIT.ok;
}

function checkRequest({ versions, keys }: BumpRequest, options: BumpOptions): void {
  const { from, latest, allowMajor, config, env } = options;
  const refuse = (message: string) => new Refusal('malformed', message);
  if (env.length === 0) throw refuse('Say where, with --env.');
  const ways = [versions.size > 0, from !== undefined, latest === true].filter(Boolean).length;
  if (ways > 1) throw refuse('Give versions, --from an environment or --latest, one of them.');
  if (!latest && (allowMajor ?? config !== undefined)) {
    throw refuse('--allow-major and --config belong to --latest.');
  }
  if (from !== undefined || latest) return;
  const [key] = keys;
  if (key !== undefined) {
    const which = `Which version of ${keys.join(', ')}?`;
    throw refuse(`${which} Write ${key}=<version>, --from an environment, or --latest.`);
  }
  if (versions.size === 0) {
    throw refuse('Say what, as <key>=<version>, --from an environment, or --latest.');
  }
}

/** Environments that share a folder are one file. */
async function filesOf({ env, repository }: BumpOptions): Promise<Map<string, string[]>> {
  const files = new Map<string, string[]>();
  for (const name of new Set(env.map((given) => withinRepository(given, repository)))) {
    const file = await findVersionsFile(repository, name);
    files.set(file, [...(files.get(file) ?? []), name]);
  }
  return files;
}

function withinRepository(name: string, repository: string): string {
  const path = isAbsolute(name) ? relative(repository, name) : name;
  return path.replace(/\/+$/, '');
}

async function changeOf(
  file: string,
  names: string[],
  request: BumpRequest,
  options: BumpOptions,
  latest: LatestVersions | undefined,
): Promise<Change> {
  const { text: before, entries } = await read(options.repository, file);
  const known = entries.map(({ key }) => key);
  checkKeys([...request.versions.keys(), ...request.keys], known, file);
  const notes: string[] = [];
  let wanted = request.versions;
  if (options.from !== undefined) {
    wanted = await versionsFrom(options.from, request.keys, options.repository);
  } else if (latest) {
    wanted = await newestOf(entries, request.keys, latest, notes);
  }
  const changes = changesOf(new Map(entries.map(({ key, version }) => [key, version])), wanted);
  notes.push(...changes.flatMap(({ key }) => notesOf(entries, key, wanted)));
  return { names, file, before, after: withVersions(before, entries, wanted), changes, notes };
}

/** The newest of the named keys, or of all that have a source. */
async function newestOf(
  entries: readonly VersionEntry[],
  keys: readonly string[],
  latest: LatestVersions,
  notes: string[],
): Promise<Map<string, string>> {
  const chosen = keys.length > 0 ? keys : latest.keys();
  const wanted = new Map<string, string>();
  for (const { key, version } of entries) {
    if (!chosen.includes(key)) continue;
    const found = await latest.of(key, version);
    wanted.set(key, checkVersion(key, found.version));
    if (found.laterMajor !== undefined) {
      notes.push(`${key} ${found.laterMajor} is there too; --allow-major takes it`);
    }
  }
  return wanted;
}

async function versionsFrom(
  source: string,
  keys: readonly string[],
  repository: string,
): Promise<Map<string, string>> {
  const file = await findVersionsFile(repository, withinRepository(source, repository));
  const { entries } = await read(repository, file);
  checkKeys(
    keys,
    entries.map(({ key }) => key),
    file,
  );
  const chosen = entries.filter(
    ({ key, version }) => (keys.length === 0 || keys.includes(key)) && version !== '',
  );
  return new Map(chosen.map(({ key, version }) => [key, checkVersion(key, version)]));
}

async function read(repository: string, file: string) {
  const text = await readText(join(repository, file));
  return { text, entries: readVersions(text, file) };
}

/** What a change of a shared value does to the others who share it. */
function notesOf(
  entries: readonly VersionEntry[],
  key: string,
  wanted: ReadonlyMap<string, string>,
): string[] {
  const entry = entries.find((one) => one.key === key);
  const following = entry?.followers.filter((follower) => !wanted.has(follower)) ?? [];
  if (following.length > 0) {
    return [
      `${following.join(', ')} ${following.length === 1 ? 'is an alias' : 'are aliases'} of ${key} and ${following.length === 1 ? 'follows' : 'follow'} it`,
    ];
  }
  return entry?.alias ? [`${key} was an alias and now has a version of its own`] : [];
}

function print({ names, file, before, after, changes, notes }: Change, dryRun: boolean): void {
  const where = names.join(', ');
  const lines = changes.length === 0 ? [`${where}: nothing to change`] : [];
  if (changes.length > 0) lines.push(`${where}: ${changes.map(inWords).join(', ')}`);
  lines.push(...notes.map((note) => `  note: ${note}`));
  if (dryRun && before !== after) {
    lines.push(...fileDiff({ path: file, newPath: file, before, after }));
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}
