import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ChartDependency } from '../../domain/plan/chart-dependencies.ts';

export interface LocalChart {
  version?: string;
  /** What Helm fetches before the chart can be used: all dependencies, as soon as one is not vendored. */
  fetched: readonly ChartDependency[];
  /** The same as the lock file pins it; Helm goes by it where there is one. */
  locked?: readonly ChartDependency[];
}

interface Manifest {
  name?: unknown;
  version?: unknown;
  dependencies?: unknown;
}

/**
 * Reads a chart that is a folder of the commit; undefined where there is none. Throws for files that are
 * no YAML.
 *
 * @param folder absolute
 */
export function readLocalChart(folder: string): LocalChart | undefined {
  const manifest = readYaml(join(folder, 'Chart.yaml'));
  if (!manifest) return undefined;
  const { version } = manifest;
  const wanted = [
    ...dependenciesOf(manifest),
    // Where charts of Helm 2 have them.
    ...dependenciesOf(readYaml(join(folder, 'requirements.yaml'))),
  ];
  const vendored = vendoredNames(join(folder, 'charts'));
  const isComplete = wanted.every(({ name }) => vendored.has(name));
  const lock = readYaml(join(folder, 'Chart.lock')) ?? readYaml(join(folder, 'requirements.lock'));
  return {
    ...(typeof version === 'string' ? { version } : {}),
    fetched: isComplete ? [] : wanted,
    ...(lock && !isComplete ? { locked: dependenciesOf(lock) } : {}),
  };
}

/** Far more than anybody writes; parsing what was made to exhaust the reader takes minutes. */
const BYTES_MAX = 1024 * 1024;

function readYaml(file: string): Manifest | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found?.isFile()) return undefined;
  if (found.size > BYTES_MAX) throw new Error(`${file} is too large`);
  const parsed = parse(readFileSync(file, 'utf8'), { maxAliasCount: 100 }) as Manifest | null;
  return parsed ?? {};
}

function dependenciesOf(manifest: Manifest | undefined): ChartDependency[] {
  const list = Array.isArray(manifest?.dependencies) ? manifest.dependencies : [];
  return list.map((entry: unknown) => {
    const fields = (entry ?? {}) as Partial<Record<keyof ChartDependency, unknown>>;
    const text = (key: keyof ChartDependency) => {
      const value = fields[key];
      return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
    };
    return { name: text('name'), version: text('version'), repository: text('repository') };
  });
}

/** Names of the charts in a chart's own `charts` folder, packed or not. */
function vendoredNames(folder: string): ReadonlySet<string> {
  const entries = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : [];
  const names = entries.map((entry) => {
    if (!entry.isDirectory()) return /^(.+)-v?\d+\.\d+\.\d+.*\.tgz$/.exec(entry.name)?.[1] ?? '';
    const name = readYaml(join(folder, entry.name, 'Chart.yaml'))?.name;
    return typeof name === 'string' ? name : '';
  });
  return new Set(names);
}
