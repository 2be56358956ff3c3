import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { parse } from 'yaml';
import { SlipwayError } from '../../domain/errors.ts';
import type { BuildDocument } from './build-output.ts';
import { resolveInIndex, type ResolvedChart } from './chart-index.ts';
import { resolveInRegistry } from './chart-registry.ts';
import type { InputFile, InputFiles } from './input-files.ts';
import type { ServiceInput } from './service-inputs.ts';

/** One entry of a helmfile's `repositories`. */
export interface ChartRepository {
  name: string;
  url: string;
  oci?: boolean;
  plainHttp?: boolean;
}

/** Which content a service's chart has now. */
export interface ChartFound {
  version?: string;
  digest?: string;
  /** Of a chart in the repository itself. */
  files: InputFile[];
  notUnderstood?: string;
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
export type ChartWanted = Pick<ServiceInput, 'chart' | 'version' | 'folder'>;

/** Says of a chart that nobody has what is wrong about it. */
export function unresolvedChart({
  name,
  chart,
  version,
}: Pick<ServiceInput, 'name' | 'chart' | 'version'>): string {
  return version === ''
    ? `There is no chart ${chart} for ${name} in its chart repository.`
    : `No version of the chart ${chart} for ${name} matches "${version}".`;
}

/** The chart repositories of all helmfiles of an environment; Helm knows them by their alias alone. */
export function readRepositories(
  documents: readonly BuildDocument[],
): ReadonlyMap<string, ChartRepository> {
  const sections = new Set(documents.flatMap(({ sections: all }) => all.get('repositories') ?? []));
  const found = [...sections].flatMap(
    (section) => (parse(section) as { repositories: ChartRepository[] | null }).repositories ?? [],
  );
  return new Map(found.map((repository) => [repository.name, repository]));
}

/** Finds out which content each service's chart has; asks each repository once. */
export class Charts {
  readonly #place: ChartPlace;
  readonly #indexes = new Map<string, Promise<string>>();
  readonly #resolved = new Map<string, Promise<ResolvedChart | undefined>>();

  constructor(place: ChartPlace) {
    this.#place = place;
  }

  /** Undefined when no version of the chart fits. */
  async find({ chart, version, folder }: ChartWanted): Promise<ChartFound | undefined> {
    if (chart.startsWith('oci://')) {
      return this.#remote(() => this.#inRegistry(chart.slice('oci://'.length), version, false));
    }
    if (chart.includes('://')) {
      return { files: [], notUnderstood: `the chart comes from ${new URL(chart).host}` };
    }
    const path = posix.join(folder, chart);
    const slash = chart.indexOf('/');
    const repository = this.#place.repositories.get(chart.slice(0, slash));
    if (!repository) return this.#local(path, chart);
    const name = chart.slice(slash + 1);
    if (repository.oci) {
      const { url, plainHttp = false } = repository;
      const base = url.replace(/^oci:\/\//, '').replace(/\/$/, '');
      return this.#remote(() => this.#inRegistry(`${base}/${name}`, version, plainHttp));
    }
    return this.#remote(() => this.#inIndex(repository.name, name, version));
  }

  async #remote(
    resolve: () => Promise<ResolvedChart | undefined>,
  ): Promise<ChartFound | undefined> {
    const resolved = await resolve();
    return resolved && { ...resolved, files: [] };
  }

  async #inIndex(alias: string, name: string, range: string): Promise<ResolvedChart | undefined> {
    const file = join(this.#place.helmHome, 'cache', 'repository', `${alias}-index.yaml`);
    const index = this.#indexes.get(alias) ?? readFile(file, 'utf8').catch(() => '');
    this.#indexes.set(alias, index);
    return resolveInIndex(await index, name, range);
  }

  #inRegistry(chart: string, range: string, plainHttp: boolean) {
    const key = `${chart} ${range}`;
    const { helmHome, signal } = this.#place;
    const access = { helmConfig: join(helmHome, 'config'), plainHttp, ...(signal && { signal }) };
    const resolved = this.#resolved.get(key) ?? resolveInRegistry(chart, range, access);
    this.#resolved.set(key, resolved);
    return resolved;
  }

  async #local(path: string, chart: string): Promise<ChartFound> {
    const files = await this.#place.files.folder(path);
    const manifest = await readFile(join(this.#place.tree, path, 'Chart.yaml'), 'utf8').catch(
      () => undefined,
    );
    if (!files || manifest === undefined) {
      throw new SlipwayError(
        'chart-unresolved',
        `There is no chart "${chart}": it is neither a folder of the repository with a Chart.yaml nor in a chart repository that the helmfile names.`,
      );
    }
    const { version, dependencies } = parse(manifest) as {
      version?: unknown;
      dependencies?: { name: string }[] | null;
    };
    const vendored = files.map((file) => posix.relative(posix.join(path, 'charts'), file.path));
    const missing = dependencies?.find(
      ({ name }) =>
        !vendored.some((one) => one.startsWith(`${name}-`) || one.startsWith(`${name}/`)),
    );
    return {
      ...(typeof version === 'string' ? { version } : {}),
      files,
      ...(missing && { notUnderstood: `its chart fetches ${missing.name} when it is applied` }),
    };
  }
}
