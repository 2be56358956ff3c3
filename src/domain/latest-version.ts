import { Refusal } from './errors.ts';
import { compareVersions, parseVersion } from './semantic-version.ts';

export interface LatestVersion {
  version: string;
  /** The newest of a later major version, which was left out. */
  laterMajor?: string;
}

// Three numbers and nothing behind them: `1.2.3-rc.1`, `1.2.3-alpine` and `1.2` are not released versions.
const RELEASED = /^v?\d+\.\d+\.\d+$/;

/**
 * The newest version among a service's tags: of the current major version unless others are allowed, never
 * a pre-release, and never an older one than the current.
 *
 * @param key the version key, for messages
 * @param current as it stands in the file; empty for none
 * @throws Refusal where no tag is a version, or the current one tells no major version to stay in
 */
export function latestVersion(
  key: string,
  current: string,
  tags: readonly string[],
  allowMajor: boolean,
): LatestVersion {
  const found = tags.filter((tag) => RELEASED.test(tag));
  if (found.length === 0) {
    const message = `None of the ${tags.length} tags of ${key} is a version such as 1.2.3.`;
    throw new Refusal('not-found', message);
  }
  if (current === '') return { version: newest(found, current) };
  const now = parseVersion(current);
  if (!now && !allowMajor) {
    const message = `${key} is at "${current}", which has no major version to stay in: give --allow-major, or a version.`;
    throw new Refusal('invalid', message);
  }
  const sameMajor = found.filter((tag) => allowMajor || parseVersion(tag)?.major === now?.major);
  const best = newest([...sameMajor, current], current);
  const all = newest([...found, current], current);
  return compare(all, best) > 0 ? { version: best, laterMajor: all } : { version: best };
}

/** Of two spellings of one version, `v1.2.3` and `1.2.3`, the one that is like the current. */
function newest(versions: readonly string[], current: string): string {
  const prefixed = current.startsWith('v');
  return versions.reduce((best, version) => {
    const order = compare(version, best);
    return order > 0 || (order === 0 && version.startsWith('v') === prefixed) ? version : best;
  });
}

/** What is no version at all is older than every version. */
function compare(a: string, b: string): number {
  const [left, right] = [parseVersion(a), parseVersion(b)];
  if (!left || !right) return Number(left !== undefined) - Number(right !== undefined);
  return compareVersions(left, right);
}
