import { createHash } from 'node:crypto';
import { parse } from 'yaml';
import { pickChartVersion } from '../../domain/plan/chart-version.ts';

interface IndexedVersion {
  version: string;
  digest: string;
}

/** A version of a chart, as the index of its repository has it. */
export interface ResolvedChart {
  version: string;
  /** Changes whenever the content of the version does. */
  digest: string;
}

/** Finds the version that Helm takes for a range in the text of a repository's `index.yaml`. */
export function resolveInIndex(
  index: string,
  chart: string,
  range: string,
): ResolvedChart | undefined {
  const versions = cutVersions(index, chart) ?? parsedVersions(index, chart);
  const wanted = pickChartVersion(
    versions.map(({ version }) => version),
    range,
  );
  return versions.find(({ version }) => version === wanted);
}

/**
 * The versions of one chart, cut from an index as Helm and its relatives write it: an index has
 * megabytes, and parsing them as YAML takes minutes. Undefined for another layout.
 */
function cutVersions(index: string, chart: string): IndexedVersion[] | undefined {
  const entries = /^entries:[ \t]*$/m.exec(index);
  if (!entries) return undefined;
  const name = chart.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const head = new RegExp(String.raw`^( +)(["']?)${name}\2:[ \t]*\n(?=( *)-)`, 'm');
  const found = head.exec(index.slice(entries.index));
  if (!found) return undefined;
  const start = entries.index + found.index + found[0].length;
  const [, indent = '', , dash = ''] = found;
  // The list ends where a line starts further left than its dashes, or with the next chart.
  const end = new RegExp(
    String.raw`^(?! {${dash.length}}(?:-| ))(?=.)|^ {0,${indent.length}}[^ -]`,
    'm',
  );
  const rest = index.slice(start);
  const section = rest.slice(0, end.exec(rest)?.index);
  const items = section.split(new RegExp(`^ {${dash.length}}- `, 'm')).slice(1);
  const versions = items.map((item) => {
    const inside = `${' '.repeat(dash.length + 2)}${item}`;
    const field = (key: string) =>
      new RegExp(`^ {${dash.length + 2}}${key}: *(["']?)(.*?)\\1 *$`, 'm').exec(inside)?.[2];
    const version = field('version');
    return version && { version, digest: field('digest') || contentDigest(item) };
  });
  return versions.every((version) => typeof version === 'object') ? versions : undefined;
}

function parsedVersions(index: string, chart: string): IndexedVersion[] {
  const { entries } = (index.trimStart().startsWith('{') ? JSON.parse(index) : parse(index)) as {
    entries?: Record<string, { version: string; digest?: string }[]>;
  };
  return (entries?.[chart] ?? []).map((entry) => ({
    version: entry.version,
    digest: entry.digest ?? contentDigest(JSON.stringify(entry)),
  }));
}

function contentDigest(text: string): string {
  return `entry:${createHash('sha256').update(text).digest('hex')}`;
}
