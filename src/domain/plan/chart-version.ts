import {
  comparePrereleases,
  compareVersions,
  parseVersion,
  type Version,
} from '../semantic-version.ts';

/**
 * Chart versions and ranges exactly as Helm reads them (Masterminds/semver 3.5): npm's semver differs in
 * corner cases such as prereleases, `~0`, `*` and `=1.2`.
 */

interface Comparator {
  operator: string;
  version: Version;
  /** Parts that were left out or written as x. */
  anyMinor: boolean;
  anyPatch: boolean;
  /** Any part was. */
  loose: boolean;
}

/** The version that Helm takes for a range: the exact text if it is there, else the newest that fits. */
export function pickChartVersion(versions: readonly string[], range: string): string | undefined {
  if (range !== '' && versions.includes(range)) return range;
  const accepts = parseRange(range === '' ? '*' : range);
  if (!accepts) return undefined;
  let best: { text: string; version: Version } | undefined;
  for (const text of versions) {
    const version = parseVersion(text);
    if (!version || !accepts(version)) continue;
    if (!best || compareVersions(version, best.version) > 0) best = { text, version };
  }
  return best?.text;
}

/** Whether Helm takes this text for a range of chart versions. */
export function isChartRange(range: string): boolean {
  return parseRange(range) !== undefined;
}

const PART = String.raw`[0-9xX*]+`;
const NUMBER = String.raw`v?(${PART})(\.${PART})?(\.${PART})?(-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?`;
const OPERATOR = String.raw`=>|=<|!=|>=|<=|~>|=|>|<|~|\^|`;
const COMPARATOR = new RegExp(String.raw`(${OPERATOR})\s*${NUMBER}`, 'g');
const SEGMENT = new RegExp(
  String.raw`^\s*(?:${OPERATOR})\s*${NUMBER}\s*(?:(?:\s+|,\s*)(?:${OPERATOR})\s*${NUMBER}\s*)*$`,
);
const HYPHEN = new RegExp(String.raw`\s*(${NUMBER})\s+-\s+(${NUMBER})\s*`, 'g');

/** Undefined for a text that Helm refuses. */
function parseRange(range: string): ((version: Version) => boolean) | undefined {
  const groups: Comparator[][] = [];
  // The second number's group comes after the four parts of the first.
  const rewritten = range.replace(HYPHEN, (...found: string[]) => {
    const [, low = ''] = found;
    return `>= ${low}, <= ${found[6] ?? ''} `;
  });
  for (const segment of rewritten.split('||')) {
    if (!SEGMENT.test(segment)) return undefined;
    const comparators = [...segment.matchAll(COMPARATOR)].map((match) => {
      const [, operator = '', major = '', minor = '', patch = '', prerelease = ''] = match;
      return toComparator(operator, { major, minor, patch, prerelease });
    });
    groups.push(comparators);
  }
  return (version) =>
    groups.some((group) => {
      // Prereleases are meant only where the group names one.
      const prereleases = group.some((one) => one.version.prerelease !== '');
      if (version.prerelease !== '' && !prereleases) return false;
      return group.every((comparator) => fits(version, comparator));
    });
}

function toComparator(
  operator: string,
  parts: Record<'major' | 'minor' | 'patch' | 'prerelease', string>,
): Comparator {
  const [major, minor, patch] = [parts.major, parts.minor.slice(1), parts.patch.slice(1)];
  const anyMajor = isAny(major);
  const anyMinor = !anyMajor && isAny(minor);
  const anyPatch = !anyMajor && !anyMinor && isAny(patch);
  const number = (text: string, any: boolean) => (any || /\D/.test(text) ? 0n : BigInt(text));
  return {
    operator,
    anyMinor,
    anyPatch,
    loose: anyMajor || anyMinor || anyPatch,
    version: {
      major: number(major, anyMajor),
      minor: number(minor, anyMajor || anyMinor),
      patch: number(patch, anyMajor || anyMinor || anyPatch),
      prerelease: parts.prerelease.slice(1),
    },
  };
}

function isAny(part: string): boolean {
  return part === '' || part === 'x' || part === 'X' || part === '*';
}

function fits(version: Version, comparator: Comparator): boolean {
  const { operator, version: bound, loose } = comparator;
  switch (operator) {
    case '':
    case '=':
      return loose ? fitsTilde(version, comparator) : compareVersions(version, bound) === 0;
    case '!=':
      return differs(version, comparator);
    case '>':
      return isAbove(version, comparator);
    case '<':
      return compareVersions(version, bound) < 0;
    case '>=':
    case '=>':
      return compareVersions(version, bound) >= 0;
    case '<=':
    case '=<':
      return isAtMost(version, comparator);
    case '^':
      return fitsCaret(version, comparator);
    default:
      return fitsTilde(version, comparator);
  }
}

function differs(version: Version, { version: bound, anyMinor, anyPatch, loose }: Comparator) {
  if (!loose) return compareVersions(version, bound) !== 0;
  if (bound.major !== version.major) return true;
  if (bound.minor !== version.minor && !anyMinor) return true;
  if (anyMinor) return false;
  if (bound.patch !== version.patch && !anyPatch) return true;
  if (!anyPatch) return compareVersions(version, bound) !== 0;
  return comparePrereleases(version.prerelease, bound.prerelease) !== 0;
}

function isAbove(version: Version, { version: bound, anyMinor, anyPatch, loose }: Comparator) {
  if (!loose) return compareVersions(version, bound) > 0;
  if (version.major !== bound.major) return version.major > bound.major;
  if (anyMinor) return false;
  return anyPatch ? version.minor > bound.minor : compareVersions(version, bound) > 0;
}

function isAtMost(version: Version, { version: bound, anyMinor, loose }: Comparator) {
  if (!loose) return compareVersions(version, bound) <= 0;
  if (version.major > bound.major) return false;
  return !(version.major === bound.major && version.minor > bound.minor && !anyMinor);
}

function fitsTilde(version: Version, { version: bound, anyMinor, anyPatch }: Comparator) {
  if (compareVersions(version, bound) < 0) return false;
  const everything = bound.major === 0n && bound.minor === 0n && bound.patch === 0n;
  if (everything && !anyMinor && !anyPatch) return true;
  return version.major === bound.major && (version.minor === bound.minor || anyMinor);
}

function fitsCaret(version: Version, { version: bound, anyMinor, anyPatch }: Comparator) {
  if (compareVersions(version, bound) < 0) return false;
  if (bound.major > 0n || anyMinor) return version.major === bound.major;
  if (version.major > 0n) return false;
  if (bound.minor > 0n || anyPatch) return version.minor === bound.minor;
  return version.minor === 0n && version.patch === bound.patch;
}
