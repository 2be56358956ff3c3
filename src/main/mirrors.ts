import { join } from 'node:path';
import { Mirror } from '../adapters/git/mirror.ts';
import type { Config } from '../config/config.ts';
import { SlipwayError } from '../domain/errors.ts';

/**
 * The mirrors of the configured repositories, each opened at its first use.
 *
 * @param folder of one process: two processes must not share a mirror
 */
export function createMirrors(
  config: Config,
  forgeTokens: ReadonlyMap<string, string>,
  folder: string,
): (repository: string) => Mirror {
  const mirrors = new Map<string, Mirror>();
  return (name) => {
    const known = mirrors.get(name);
    if (known) return known;
    const repository = config.repositories.get(name);
    if (!repository) {
      throw new SlipwayError('git-unreachable', `repository "${name}" is not configured here`);
    }
    const token = forgeTokens.get(name);
    const access = {
      path: process.env.PATH ?? '/usr/bin:/bin',
      url: repository.url,
      folder: join(folder, 'git', name),
      ...(token === undefined ? {} : { token }),
    };
    const mirror = new Mirror(access, repository.branch);
    mirrors.set(name, mirror);
    return mirror;
  };
}
