import { existsSync } from 'node:fs';
import { copyFile, lstat, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { declaredEnvironments } from '../adapters/deployment-repository/find-versions.ts';
import { makeChanges } from '../adapters/deployment-repository/repository-texts.ts';
import { HELMFILES } from '../adapters/helmfile/helmfile.ts';
import type { FileChange } from '../domain/diff/file.ts';
import type { Note } from '../domain/import/note.ts';
import { checkEnvironment, type CheckedEnvironment, type CheckPlace } from './check-environment.ts';
import { checkVersionsFiles, type VersionKeys } from './check-versions.ts';

/** A checkout, and what is to be changed in it before it is looked at. */
export interface CheckedCheckout extends Omit<CheckPlace, 'tree' | 'dataDir' | 'helmfile'> {
  folder: string;
  /** Its files, as git knows them. */
  paths: readonly string[];
  changes?: readonly FileChange[];
}

export interface CheckResult {
  environments: { name: string; builds: boolean; services: number }[];
  notes: Note[];
  versionKeys: VersionKeys;
}

/** Evaluates every environment as a deployment would, without a cluster, and says what is wrong. */
export async function checkRepository(checkout: CheckedCheckout): Promise<CheckResult> {
  const dataDir = await mkdtemp(join(tmpdir(), 'slipway-check-'));
  try {
    const tree = join(dataDir, 'tree');
    const notes = await copyCheckout(checkout, tree);
    const helmfile = HELMFILES.find((name) => existsSync(join(tree, name))) ?? 'helmfile.yaml';
    const checked: CheckedEnvironment[] = [];
    for (const name of await environmentsOf(checkout, tree)) {
      checked.push(await checkEnvironment({ ...checkout, tree, dataDir, helmfile }, name));
    }
    const versions = await checkVersionsFiles(checked, tree);
    notes.push(...checked.flatMap((each) => each.notes), ...versions.notes);
    return {
      environments: checked.map(({ name, builds, facts }) => ({
        ...{ name, builds, services: facts?.services.length ?? 0 },
      })),
      notes,
      versionKeys: versions.versionKeys,
    };
  } finally {
    await rm(dataDir, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The files as a deployment gets them, and what it would refuse among them. */
async function copyCheckout(checkout: CheckedCheckout, tree: string): Promise<Note[]> {
  const notes: Note[] = [];
  await mkdir(tree);
  for (const path of checkout.paths) {
    const from = join(checkout.folder, path);
    const found = await lstat(from).catch(() => undefined);
    if (found?.isSymbolicLink()) {
      const text = 'is a link, and Slipway refuses repositories with links';
      notes.push({ kind: 'wrong already', file: path, line: 0, text });
    }
    if (!found?.isFile()) continue;
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await copyFile(from, join(tree, path));
  }
  await makeChanges(tree, checkout.changes ?? []);
  return notes;
}

/** Those that are configured, and those that the helmfile declares. */
async function environmentsOf({ config }: CheckedCheckout, tree: string): Promise<string[]> {
  const declared = await declaredEnvironments(tree);
  return [...new Set([...(config?.environments.keys() ?? []), ...declared])];
}
