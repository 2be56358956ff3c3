import { posix } from 'node:path';
import { readRelease, type BuildDocument } from './build-output.ts';
import { chartOfDependency, readRepositories } from './chart-repositories.ts';
import { readLocalChart } from './local-chart.ts';

/**
 * Arguments of helm that fetch what the charts of these services depend on and the commit lacks: one list
 * for each chart, to be run one after the other, because helm must not work on a chart twice at a time.
 * Nothing for charts that are complete, so that they cost nothing.
 *
 * @param names of services; none means all
 */
export function chartFetches(
  documents: readonly BuildDocument[],
  tree: string,
  names: readonly string[],
): string[][] {
  const folders = documents.flatMap(({ source, releases }) =>
    [...releases]
      .filter(([name]) => names.length === 0 || names.includes(name))
      .map(([, text]) => posix.join(posix.dirname(source), readRelease(text).chart)),
  );
  const repositories = readRepositories(documents);
  const plainHosts = [...repositories.values()].flatMap(({ plainHttp, url }) =>
    plainHttp ? hostOf(url) : [],
  );
  return [...new Set(folders)].flatMap((folder) => {
    const { fetched = [], locked } = readLocalChart(tree, folder) ?? {};
    if (fetched.length === 0) return [];
    const isPlain = [...fetched, ...(locked ?? [])].some(
      ({ repository }) => /^oci:/i.test(repository) && plainHosts.includes(hostOf(repository)),
    );
    const isKnown = (locked ?? fetched).every(
      ({ name, repository }) =>
        /^(file:.*|)$/i.test(repository) ||
        chartOfDependency(name, repository, repositories) !== undefined,
    );
    return [
      [
        ...['dependency', 'build', folder],
        // The indexes are those that the plan went by; of others helm has none yet.
        ...(isKnown ? ['--skip-refresh'] : []),
        ...(isPlain ? ['--plain-http'] : []),
      ],
    ];
  });
}

function hostOf(url: string): string {
  return /^(?:oci:\/\/)?([^/]*)/i.exec(url)?.[1] ?? '';
}
