import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findVersionsFile } from '../adapters/deployment-repository/find-versions.ts';
import { readText } from '../adapters/deployment-repository/text-files.ts';
import { readVersions } from '../adapters/deployment-repository/versions-file.ts';
import type { Mirror } from '../adapters/git/mirror.ts';
import { BoundedMap } from '../domain/bounded-map.ts';
import { Refusal } from '../domain/errors.ts';

interface At {
  repository: string;
  environment: string;
  commit: string;
}

/** A soak may look at as many, in each of two environments. */
const KEPT_MAX = 500;

/**
 * Reads what the `versions.yaml` of an environment says at a commit, by version key. Throws a refusal or a
 * `SlipwayError` that says why it cannot be told; never guesses.
 *
 * @param folder of this process: in it the files of a commit are looked at for a moment
 */
export async function createVersionsAt(mirror: (repository: string) => Mirror, folder: string) {
  const looks = join(folder, 'versions');
  // What a killed server left.
  await rm(looks, { recursive: true, force: true });
  await mkdir(looks, { mode: 0o700 });
  const known = new BoundedMap<string, ReadonlyMap<string, string>>(KEPT_MAX);
  return async (at: At, signal: AbortSignal): Promise<ReadonlyMap<string, string>> => {
    const { repository, environment, commit } = at;
    // A commit never changes.
    const key = `${repository} ${environment} ${commit}`;
    const found = known.get(key);
    if (found) return found;
    const tree = await mkdtemp(join(looks, 'at-'));
    try {
      await mirror(repository).checkout(commit, tree, signal);
      const versions = await versionsIn(tree, environment);
      known.set(key, versions);
      return versions;
    } finally {
      await rm(tree, { recursive: true, force: true });
    }
  };
}

async function versionsIn(tree: string, environment: string): Promise<Map<string, string>> {
  const file = await findVersionsFile(tree, environment).catch((error: unknown) => {
    if (!(error instanceof Refusal) || error.code !== 'not-found') throw error;
    const places = `${environment}/versions.yaml or environments/${environment}/versions.yaml`;
    throw new Refusal(
      'not-found',
      `which versions.yaml ${environment} reads cannot be told without helmfile; keep it in ${places}`,
    );
  });
  const text = await readText(join(tree, file));
  // Its keys are not among those that are read: they would seem to be missing.
  if (/<<\s*:/.test(text)) {
    throw new Refusal('invalid', `${file} merges versions in with "<<"; write them out`);
  }
  return new Map(readVersions(text, file).map(({ key, version }) => [key, version]));
}
