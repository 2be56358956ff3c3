import { WorkTree } from '../adapters/git/work-tree.ts';
import type { Config, RepositoryConfig } from '../config/config.ts';
import { Refusal } from '../domain/errors.ts';

/** The repository of the configuration whose checkout this is. */
export async function configuredRepository(
  config: Config,
  folder: string,
): Promise<RepositoryConfig> {
  const all = [...config.repositories.values()];
  const [only] = all;
  if (only && all.length === 1) return only;
  const tree = await WorkTree.open(folder, process.env);
  const origin = await tree.origin();
  const found = all.find(({ url }) => sameUrl(url, origin ?? ''));
  if (found) return found;
  const message = `${config.file} has ${all.length} repositories, and none has the URL of this checkout's origin, ${origin ?? 'which has none'}.`;
  throw new Refusal('not-found', message);
}

function sameUrl(a: string, b: string): boolean {
  const plain = (url: string) => url.replace(/\/+$/, '').replace(/\.git$/, '');
  return plain(a) === plain(b);
}
