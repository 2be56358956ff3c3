import { join } from 'node:path';
import { findVersionsFile } from '../adapters/deployment-repository/find-versions.ts';
import { readText } from '../adapters/deployment-repository/text-files.ts';
import { readVersions } from '../adapters/deployment-repository/versions-file.ts';
import type { EnvironmentFacts } from '../domain/check/facts.ts';
import { checkVersions, versionKeysOf } from '../domain/check/versions.ts';
import { Refusal } from '../domain/errors.ts';
import { groupBy } from '../domain/group-by.ts';
import type { Note } from '../domain/import/note.ts';
import type { CheckedEnvironment } from './check-environment.ts';

/** Service to version key, by environment, where their names differ. */
export type VersionKeys = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Compares each `versions.yaml` with what the services of its environments read. */
export async function checkVersionsFiles(
  checked: readonly CheckedEnvironment[],
  tree: string,
): Promise<{ notes: Note[]; versionKeys: VersionKeys }> {
  const found: { name: string; facts?: EnvironmentFacts; file: string }[] = [];
  for (const { name, facts } of checked) {
    const file = await findVersionsFile(tree, name).catch((error: unknown) => {
      if (error instanceof Refusal) return undefined;
      throw error;
    });
    if (file !== undefined) found.push({ name, file, ...(facts ? { facts } : {}) });
  }
  const notes: Note[] = [];
  const versionKeys = new Map<string, ReadonlyMap<string, string>>();
  for (const [file, users] of groupBy(found, (one) => one.file)) {
    const text = await readText(join(tree, file));
    // Elsewhere the whole file is versions, which templates read by other paths.
    const environments = users.flatMap(({ facts }) => facts ?? []);
    if (!/^versions\s*:/m.test(text) || environments.length < users.length) continue;
    try {
      const keys = readVersions(text, file);
      notes.push(...checkVersions({ file, keys, environments }));
      const known = new Set(keys.map(({ key }) => key));
      for (const { environment, services } of environments) {
        versionKeys.set(environment, versionKeysOf(services, known));
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      notes.push({ kind: 'wrong already', file, line: 0, text: error.message });
    }
  }
  return { notes, versionKeys };
}
