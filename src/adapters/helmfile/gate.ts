import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { SlipwayError } from '../../domain/errors.ts';
import { checkState } from '../../domain/gate/check-state.ts';
import type { GateOptions, StateDocument, Tree } from '../../domain/gate/findings.ts';
import { refusalError } from '../../domain/gate/refusal.ts';
import type { ChartDependency } from '../../domain/plan/chart-dependencies.ts';
import { readLocalChart } from './local-chart.ts';
import type { Workspace } from './workspace.ts';

const SOURCE = /^---\n# {2}Source: (.*)\n/m;
/** A state is small; one that is not was made to exhaust the reader. */
const STATE_CHARACTERS_MAX = 32 * 1024 * 1024;
const FILE_BYTES_MAX = 16 * 1024 * 1024;

/**
 * The static gate: throws `repository-refused` for a commit whose evaluated state must not meet the
 * cluster's credentials. Call it before helmfile evaluates values files (`--embed-values`), renders or
 * syncs; that a helmfile is templated at all runs nothing, because helmfile's own switches are on.
 *
 * @param output of `helmfile build` without embedded values, as helmfile printed it
 */
export async function gate(
  output: string,
  workspace: Workspace,
  scope: Pick<GateOptions, 'environment' | 'namespace' | 'kubeContext'>,
): Promise<void> {
  const root = await realpath(workspace.tree);
  const { bin, allow } = workspace;
  // The last is helmfile's default, which finds nothing on the PATH that it is given.
  const binaries = [join(bin, 'helm'), join(bin, 'kustomize-denied'), 'kustomize'];
  const refusals = checkState(readDocuments(output, root), treeOf(root), {
    ...scope,
    binaries,
    allow,
  });
  if (refusals.length > 0) throw refusalError(refusals);
}

function readDocuments(output: string, root: string): StateDocument[] {
  if (output.length > STATE_CHARACTERS_MAX) throw unreadable('it is too large');
  const [before = '', ...parts] = output.split(SOURCE);
  if (before.trim() !== '') throw unreadable('something stands before its first helmfile');
  const documents: StateDocument[] = [];
  for (let at = 0; at < parts.length; at += 2) {
    const path = relative(root, parts[at] ?? '');
    if (path === '..' || path.startsWith(`..${sep}`)) {
      throw refusalError([{ file: path, key: 'helmfiles', why: 'leaves the repository' }]);
    }
    documents.push({ source: path, state: parseState(parts[at + 1] ?? '', path) });
  }
  return documents;
}

function parseState(text: string, path: string): unknown {
  // What one program takes for the last of two equal keys, another takes for the first.
  const parsed = parseAllDocuments(text, { uniqueKeys: true, merge: false });
  const [document] = parsed;
  if (!document || parsed.length !== 1 || document.errors.length > 0) {
    throw unreadable(`${path} has no single document of YAML`);
  }
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch {
    throw unreadable(`${path} repeats itself by too many aliases`);
  }
}

function treeOf(root: string): Tree {
  const known = new Map<string, readonly ChartDependency[]>();
  return {
    root,
    read: (path) => {
      const file = join(root, path);
      const found = statSync(file, { throwIfNoEntry: false });
      if (!found?.isFile()) return undefined;
      if (found.size > FILE_BYTES_MAX) throw unreadable(`${path} is too large`);
      return readFileSync(file, 'utf8');
    },
    expand: (pattern) => {
      if (existsSync(join(root, pattern)) || !/[*?[{]/.test(pattern)) return [pattern];
      return globSync(pattern, { cwd: root });
    },
    fetched: (folder) => {
      // Many services share a chart.
      const dependencies = known.get(folder) ?? fetchedBy(root, folder);
      known.set(folder, dependencies);
      return dependencies;
    },
  };
}

function fetchedBy(root: string, folder: string): ChartDependency[] {
  const { fetched = [], locked = [] } = readLocalChart(root, folder) ?? {};
  return [...fetched, ...locked];
}

function unreadable(why: string): SlipwayError {
  return new SlipwayError(
    'repository-refused',
    `The evaluated state cannot be checked: ${why}; nothing permits this.`,
  );
}

const FUNCTION = /error calling (exec|envExec|readFile|readDir|readDirEntries):/;

/**
 * What helmfile's own switches refused, as the gate would say it; undefined for any other failure.
 *
 * @param stderr the end of helmfile's error output, redacted
 */
export function refusedByHelmfile(stderr: string): SlipwayError | undefined {
  const place = { file: /^in (?:\.\/)?([^:\n]+):/m.exec(stderr)?.[1] ?? 'the helmfile' };
  if (stderr.includes('hooks are disabled')) {
    return refusalError([{ ...place, key: 'hooks', why: 'runs commands', allow: 'hooks' }]);
  }
  if (/plugin secrets not installed/.test(stderr)) {
    const why = 'is decrypted by a plugin of helm';
    return refusalError([{ ...place, key: 'secrets', why, allow: 'secrets' }]);
  }
  if (stderr.includes('remote sources are disabled')) {
    const why = 'is fetched from elsewhere';
    return refusalError([{ ...place, key: 'a remote source', why, allow: 'remote' }]);
  }
  if (!stderr.includes('insecure function calls are disabled')) return undefined;
  const name = FUNCTION.exec(stderr)?.[1] ?? 'exec';
  const values = /failed to render values files "([^"]+)"/.exec(stderr)?.[1];
  const allow = name === 'exec' || name === 'envExec' ? 'exec' : 'readFile';
  const why = 'is called by a template';
  return refusalError([{ file: values ?? place.file, key: name, why, allow }]);
}
