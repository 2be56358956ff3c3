import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { isMap, parseDocument } from 'yaml';
import { SlipwayError } from '../../domain/errors.ts';
import type { ChartDependency } from '../../domain/plan/chart-dependencies.ts';
import { yamlFault } from './values-fault.ts';

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
 * Reads a chart that is a folder of the commit; undefined where there is none. Throws `template-error` for
 * files that are no YAML.
 *
 * @param tree the checked-out commit
 * @param folder in it
 */
export function readLocalChart(tree: string, folder: string): LocalChart | undefined {
  const read = (file: string) => readYaml(tree, posix.join(folder, file));
  const manifest = read('Chart.yaml');
  if (!manifest) return undefined;
  const { version } = manifest;
  const wanted = [
    ...dependenciesOf(manifest),
    // Where charts of Helm 2 have them.
    ...dependenciesOf(read('requirements.yaml')),
  ];
  const vendored = vendoredNames(tree, posix.join(folder, 'charts'));
  const isComplete = wanted.every(({ name }) => vendored.has(name));
  const lock = read('Chart.lock') ?? read('requirements.lock');
  return {
    ...(typeof version === 'string' ? { version } : {}),
    fetched: isComplete ? [] : wanted,
    ...(lock && !isComplete ? { locked: dependenciesOf(lock) } : {}),
  };
}

/** Far more than anybody writes; parsing what was made to exhaust the reader takes minutes. */
const BYTES_MAX = 1024 * 1024;

function readYaml(tree: string, path: string): Manifest | undefined {
  const file = join(tree, path);
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found?.isFile()) return undefined;
  if (found.size > BYTES_MAX) throw unreadable(path, 'is too large');
  const document = parseDocument(readFileSync(file, 'utf8'));
  const fault = yamlFault(document.errors);
  if (fault !== undefined) throw unreadable(path, `is no valid YAML: ${fault}`);
  if (!isMap(document.contents)) return {};
  try {
    return document.toJS({ maxAliasCount: 100 }) as Manifest;
  } catch {
    throw unreadable(path, 'repeats itself by too many aliases');
  }
}

function unreadable(path: string, why: string): SlipwayError {
  return new SlipwayError('template-error', `${path} ${why}.`);
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
function vendoredNames(tree: string, folder: string): ReadonlySet<string> {
  const entries = existsSync(join(tree, folder))
    ? readdirSync(join(tree, folder), { withFileTypes: true })
    : [];
  const names = entries.map((entry) => {
    if (!entry.isDirectory()) return /^(.+)-v?\d+\.\d+\.\d+.*\.tgz$/.exec(entry.name)?.[1] ?? '';
    const name = readYaml(tree, posix.join(folder, entry.name, 'Chart.yaml'))?.name;
    return typeof name === 'string' ? name : '';
  });
  return new Set(names);
}
