import { posix } from 'node:path';
import { parse } from 'yaml';
import type { BuildDocument } from './build-output.ts';

/** One entry of a helmfile's `repositories`. */
export interface ChartRepository {
  name: string;
  url: string;
  oci?: boolean;
  plainHttp?: boolean;
  skipTLSVerify?: boolean;
  caFile?: string;
  certFile?: string;
  keyFile?: string;
  /** Folder of the helmfile that names it. */
  folder: string;
}

/** The chart repositories of all helmfiles of an environment; Helm knows them by their alias alone. */
export function readRepositories(
  documents: readonly BuildDocument[],
): ReadonlyMap<string, ChartRepository> {
  const found = documents.flatMap(({ source, sections }) => {
    const section = sections.get('repositories');
    const { repositories } = section === undefined ? {} : (parse(section) as Repositories);
    const folder = posix.dirname(source);
    return (repositories ?? []).map((repository) => ({ ...repository, folder }));
  });
  return new Map(found.map((repository) => [repository.name, repository]));
}

interface Repositories {
  repositories?: Omit<ChartRepository, 'folder'>[] | null;
}

/** Host and path of a registry, as its charts are asked for below it. */
export function registryOf({ url }: Pick<ChartRepository, 'url'>): string {
  return withoutSlash(url.replace(/^oci:\/\//i, ''));
}

/** Finds the repository of a dependency as Helm does: by its alias, or by its URL. */
export function chartOfDependency(
  name: string,
  repository: string,
  repositories: ReadonlyMap<string, ChartRepository>,
): string | undefined {
  const url = withoutSlash(repository);
  if (/^oci:/i.test(url)) {
    const same = [...repositories.values()].find(
      (one) => one.oci && `oci://${registryOf(one)}` === url,
    );
    return `${same?.name ?? url}/${name}`;
  }
  const alias = /^(?:@|alias:)(.+)$/.exec(repository)?.[1];
  const found = [...repositories.values()].find(
    (one) => !one.oci && (alias === undefined ? withoutSlash(one.url) === url : one.name === alias),
  );
  return found && `${found.name}/${name}`;
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
