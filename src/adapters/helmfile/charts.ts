import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { SlipwayError } from '../../domain/errors.ts';
import {
  dependenciesDigest,
  localFolder,
  type ChartDependency,
  type ResolvedDependency,
} from '../../domain/plan/chart-dependencies.ts';
import { resolveInIndex, type ResolvedChart } from './chart-index.ts';
import type { Trust } from '../registry/trusting-fetch.ts';
import { chartOfDependency, registryOf, type ChartRepository } from './chart-repositories.ts';
import { resolveInRegistry } from './chart-registry.ts';
import type { InputFile, InputFiles } from './input-files.ts';
import { readLocalChart } from './local-chart.ts';
import type { ServiceInput } from './service-inputs.ts';

/** Which content a service's chart has now. */
export interface ChartFound {
  version?: string;
  digest?: string;
  /** Of a chart in the repository itself. */
  files: InputFile[];
  notUnderstood?: string;
  /** Why nobody has it, in a sentence. */
  unresolved?: string;
}

export interface ChartPlace {
  tree: string;
  /** Helm's folders of the environment. */
  helmHome: string;
  files: InputFiles;
  repositories: ReadonlyMap<string, ChartRepository>;
  signal?: AbortSignal;
}

/** What a service says of its chart, and the folder of the helmfile that says it. */
export type ChartWanted = Pick<ServiceInput, 'name' | 'chart' | 'version' | 'folder'>;

/** Says of a chart that nobody has what is wrong about it. */
function unresolvedChart({ name, chart, version }: ChartWanted): ChartFound {
  const unresolved =
    version === ''
      ? `There is no chart ${chart} for ${name} in its chart repository.`
      : `No version of the chart ${chart} for ${name} matches "${version}".`;
  return { files: [], unresolved };
}

/** Finds out which content each service's chart has; asks each repository once. */
export class Charts {
  readonly #place: ChartPlace;
  readonly #indexes = new Map<string, Promise<string>>();
  readonly #resolved = new Map<string, Promise<ResolvedChart | undefined>>();

  constructor(place: ChartPlace) {
    this.#place = place;
  }

  async find(wanted: ChartWanted): Promise<ChartFound> {
    const { chart, version, folder } = wanted;
    if (!chart.startsWith('oci://') && chart.includes('://')) {
      return { files: [], notUnderstood: `the chart comes from ${new URL(chart).host}` };
    }
    const alias = chart.slice(0, chart.indexOf('/'));
    const isRemote = chart.startsWith('oci://') || this.#place.repositories.has(alias);
    if (!isRemote) return this.#local(posix.join(folder, chart), wanted);
    const resolved = await this.#resolve(chart, version);
    return resolved ? { ...resolved, files: [] } : unresolvedChart(wanted);
  }

  /** @param chart `oci://…` or `<alias>/<name>`; undefined when no version of it fits */
  #resolve(chart: string, version: string): Promise<ResolvedChart | undefined> {
    if (chart.startsWith('oci://')) {
      return this.#inRegistry(chart.slice('oci://'.length), version);
    }
    const slash = chart.indexOf('/');
    const name = chart.slice(slash + 1);
    const repository = this.#place.repositories.get(chart.slice(0, slash));
    if (!repository?.oci) return this.#inIndex(chart.slice(0, slash), name, version);
    return this.#inRegistry(`${registryOf(repository)}/${name}`, version, repository);
  }

  async #inIndex(alias: string, name: string, range: string): Promise<ResolvedChart | undefined> {
    const file = join(this.#place.helmHome, 'cache', 'repository', `${alias}-index.yaml`);
    const index = this.#indexes.get(alias) ?? readFile(file, 'utf8').catch(() => '');
    this.#indexes.set(alias, index);
    return resolveInIndex(await index, name, range);
  }

  #inRegistry(chart: string, range: string, repository?: ChartRepository) {
    const key = `${chart} ${range}`;
    const resolved = this.#resolved.get(key) ?? this.#ask(chart, range, repository);
    this.#resolved.set(key, resolved);
    return resolved;
  }

  async #ask(chart: string, range: string, repository: ChartRepository | undefined) {
    const { helmHome, signal } = this.#place;
    const trust = repository && (await this.#trustOf(repository));
    return resolveInRegistry(chart, range, {
      ...{ helmConfig: join(helmHome, 'config'), plainHttp: repository?.plainHttp === true },
      ...(trust && { trust }),
      ...(signal && { signal }),
    });
  }

  /** As helm does: what a repository says of certificates; undefined where it says nothing. */
  async #trustOf(repository: ChartRepository): Promise<Trust | undefined> {
    const { folder, skipTLSVerify, caFile, certFile, keyFile } = repository;
    if (!skipTLSVerify && !caFile && !certFile) return undefined;
    const read = async (name: keyof Trust, file: string | undefined) =>
      file === undefined ? {} : { [name]: await this.#place.files.text(posix.join(folder, file)) };
    return {
      ...(skipTLSVerify === true ? { rejectUnauthorized: false } : {}),
      ...(await read('ca', caFile)),
      ...(await read('cert', certFile)),
      ...(await read('key', keyFile)),
    };
  }

  async #local(path: string, wanted: ChartWanted): Promise<ChartFound> {
    const files = await this.#place.files.folder(path);
    const chart = readLocalChart(this.#place.tree, path);
    if (!files || !chart) {
      throw new SlipwayError(
        'chart-unresolved',
        `There is no chart "${wanted.chart}": it is neither a folder of the repository with a Chart.yaml nor in a chart repository that the helmfile names.`,
      );
    }
    const { version, fetched, locked } = chart;
    const of = { chart: path, service: wanted.name };
    const found = await Promise.all(
      (locked ?? fetched).map((dependency) => this.#dependency(dependency, of)),
    );
    const resolved = found.flatMap(({ dependency }) => dependency ?? []);
    const [notUnderstood] = found.flatMap((one) => one.notUnderstood ?? []);
    const [unresolved] = found.flatMap((one) => one.unresolved ?? []);
    return {
      ...(version === undefined ? {} : { version }),
      ...(resolved.length === 0 ? {} : { digest: dependenciesDigest(resolved) }),
      files: [...files, ...found.flatMap((one) => one.files)],
      ...(notUnderstood === undefined ? {} : { notUnderstood }),
      ...(unresolved === undefined ? {} : { unresolved }),
    };
  }

  /** What Helm fetches for a chart of the commit. */
  async #dependency(
    { name, version, repository }: ChartDependency,
    { chart, service }: { chart: string; service: string },
  ): Promise<ChartFound & { dependency?: ResolvedDependency }> {
    // It lies in the chart itself, or helm says that it does not.
    if (repository === '') return { files: [] };
    const local = localFolder(repository);
    if (local !== undefined) {
      return { files: (await this.#place.files.folder(posix.join(chart, local))) ?? [] };
    }
    const known = chartOfDependency(name, repository, this.#place.repositories);
    if (known === undefined) {
      const notUnderstood = `its chart fetches ${name} from a repository that the helmfile does not name`;
      return { files: [], notUnderstood };
    }
    const resolved = await this.#resolve(known, version);
    if (resolved) return { files: [], dependency: { name, ...resolved } };
    const unresolved = `No version of ${name}, on which the chart ${chart} for ${service} depends, matches "${version}".`;
    return { files: [], unresolved };
  }
}
