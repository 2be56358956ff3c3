import { didYouMean } from './did-you-mean.ts';
import { Refusal } from './errors.ts';

/** What a person or a pipeline asked `slipway bump` to do, apart from where. */
export interface BumpRequest {
  /** Versions named on the command line, by version key. */
  versions: ReadonlyMap<string, string>;
  /** Keys named without a version. */
  keys: readonly string[];
}

export interface VersionChange {
  key: string;
  from: string;
  to: string;
}

// What a container image's tag may be, which a version ends up as.
const VERSION = /^\w[\w.+-]{0,127}$/;
const KEY = /^[^\s=:#]+$/;

/** Reads `key=version` and `key`; throws a refusal that names the argument. */
export function parseBump(args: readonly string[]): BumpRequest {
  const versions = new Map<string, string>();
  const keys: string[] = [];
  for (const arg of args) {
    const at = arg.indexOf('=');
    const key = at < 0 ? arg : arg.slice(0, at);
    if (!KEY.test(key)) throw new Refusal('malformed', `"${arg}" names no version key.`);
    if (versions.has(key) || keys.includes(key)) {
      throw new Refusal('malformed', `"${key}" is named twice: name it once.`);
    }
    if (at < 0) keys.push(key);
    else versions.set(key, checkVersion(key, arg.slice(at + 1)));
  }
  return { versions, keys };
}

/** Throws a refusal for what cannot be a version, such as a line break or an empty text. */
export function checkVersion(key: string, version: string): string {
  if (VERSION.test(version)) return version;
  const shown = JSON.stringify(version.slice(0, 60));
  const message = `${shown} is no version for ${key}: letters, digits and . _ + - only, 128 at most.`;
  throw new Refusal('invalid', message);
}

/** Throws a refusal with the nearest known name where a key does not stand in the file. */
export function checkKeys(wanted: Iterable<string>, known: readonly string[], file: string): void {
  for (const key of wanted) {
    if (known.includes(key)) continue;
    const meant = didYouMean(key, known);
    const hint = meant === undefined ? `It has: ${known.join(', ')}.` : `Did you mean "${meant}"?`;
    throw new Refusal('not-found', `${file} has no version key "${key}". ${hint}`);
  }
}

/** What really changes, in the order of the file. */
export function changesOf(
  current: ReadonlyMap<string, string>,
  wanted: ReadonlyMap<string, string>,
): VersionChange[] {
  return [...current].flatMap(([key, from]) => {
    const to = wanted.get(key);
    return to === undefined || to === from ? [] : [{ key, from, to }];
  });
}

const SUBJECT_MAX = 72;

/**
 * The message of a bump's commit: one line such as `cs-qa: hocs-audit 2.18.3 → 2.18.4`, or a short one
 * with the changes below where they are too many for a subject.
 *
 * @param environments changes by the name that was asked for
 */
export function bumpMessage(environments: ReadonlyMap<string, readonly VersionChange[]>): string {
  const lines = groupsOf(environments).map(
    ({ names, changes }) => `${names.join(', ')}: ${changes.map(inWords).join(', ')}`,
  );
  const [only = ''] = lines;
  if (lines.length === 1 && only.length <= SUBJECT_MAX) return only;
  const count = new Set([...environments.values()].flat().map(({ key }) => key)).size;
  const subject = `${[...environments.keys()].join(', ')}: ${count} ${count === 1 ? 'version' : 'versions'}`;
  return [subject, '', ...lines].join('\n');
}

export function inWords({ key, from, to }: VersionChange): string {
  return `${key} ${from === '' ? '(none)' : from} → ${to}`;
}

/** Environments in which the same changes are made share a line. */
function groupsOf(environments: ReadonlyMap<string, readonly VersionChange[]>) {
  const groups = new Map<string, { names: string[]; changes: readonly VersionChange[] }>();
  for (const [name, changes] of environments) {
    if (changes.length === 0) continue;
    const same = JSON.stringify(changes);
    const group = groups.get(same);
    if (group) group.names.push(name);
    else groups.set(same, { names: [name], changes });
  }
  return [...groups.values()];
}
