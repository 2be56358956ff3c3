/** What a chart of the repository says of another that it needs. */
export interface ChartDependency {
  name: string;
  /** Version or range. */
  version: string;
  /** An URL, `@alias` or `alias:name`; empty for one that lies in the chart itself. */
  repository: string;
}

/** A dependency with what it resolves to now. */
export interface ResolvedDependency {
  name: string;
  version: string;
  /** Changes whenever the content of the version does. */
  digest: string;
}

/** The folder, seen from the chart, of a dependency that lies in the repository; undefined for others. */
export function localFolder(repository: string): string | undefined {
  return /^file:\/\/(.*)$/is.exec(repository)?.[1];
}

const SEPARATOR = '; ';

/** All that a chart's dependencies resolve to, as one text that takes the place of a digest. */
export function dependenciesDigest(resolved: readonly ResolvedDependency[]): string {
  return resolved
    .map(({ name, version, digest }) => `${name} ${version} ${digest}`)
    .join(SEPARATOR);
}

/** The first dependency that moved between two digests, for people; undefined for digests of other kinds. */
export function dependencyMove(now: string, before: string): string | undefined {
  const [current, earlier] = [parse(now), parse(before)];
  if (!current || !earlier) return undefined;
  for (const [name, { version }] of current) {
    const was = earlier.get(name)?.version;
    if (was !== undefined && was !== version) return `${name} ${was} → ${version}`;
  }
  const again = [...current].find(([name, { digest }]) => earlier.get(name)?.digest !== digest);
  return again && `${again[0]} ${again[1].version} was published again with other content`;
}

function parse(digest: string) {
  const entries = digest.split(SEPARATOR).map((entry) => entry.split(' '));
  if (entries.some((entry) => entry.length !== 3)) return undefined;
  return new Map(
    entries.map(([name = '', version = '', content = '']) => [name, { version, digest: content }]),
  );
}
