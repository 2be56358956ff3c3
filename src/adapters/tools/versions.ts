import type { VersionRange } from './manifest.ts';

/** Compares the numbers of two versions; what follows them (`-rc.1`, `+build`) makes no difference. */
export function compareVersions(a: string, b: string): number {
  const left = numbersOf(a);
  const right = numbersOf(b);
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether a version is at least `min` and below `below`. */
export function isAccepted(version: string, range: VersionRange): boolean {
  return compareVersions(version, range.min) >= 0 && compareVersions(version, range.below) < 0;
}

/** A range as people write it. */
export function describeRange(range: VersionRange): string {
  return `>= ${range.min} and < ${range.below}`;
}

function numbersOf(version: string): number[] {
  const numbers = /^v?(\d+(?:\.\d+)*)/.exec(version)?.[1] ?? '0';
  return numbers.split('.').map(Number);
}
