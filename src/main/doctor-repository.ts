import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readTexts } from '../adapters/deployment-repository/repository-texts.ts';
import { WorkTree } from '../adapters/git/work-tree.ts';
import { ensureTools } from '../adapters/tools/ensure-tools.ts';
import { EXIT } from '../cli/exit-codes.ts';
import type { RepositoryConfig } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { ConfigError, formatProblem } from '../config/problems.ts';
import { joinNotes, notesInWords, type Note } from '../domain/import/note.ts';
import { modernState } from '../domain/import/state-files.ts';
import { abortOnSignal } from './abort-on-signal.ts';
import { checkRepository, type CheckResult } from './check-repository.ts';
import { configuredRepository } from './configured-repository.ts';
import { ownCluster } from './own-cluster.ts';

export interface DoctorOptions {
  /** slipway.yaml; the one in the folder by default. */
  config?: string;
  /** A context of the person's kubeconfig. */
  cluster?: string;
  json?: boolean;
}

/**
 * Checks a deployment repository and prints what is wrong with it or may surprise. Returns the exit code:
 * 1 where a release would fail, or somebody will miss something.
 */
export async function doctorRepository(folder: string, options: DoctorOptions): Promise<number> {
  const paths = await (await WorkTree.open(folder, process.env)).files();
  const texts = await readTexts(folder, paths);
  const { config, notes } = await configOf(folder, options.config);
  notes.push(...toBeImported(texts));
  const cluster = options.cluster === undefined ? undefined : await ownCluster(options.cluster);
  const { helm, helmfile } = await ensureTools(['helm', 'helmfile']);
  const checked = await checkRepository({
    ...{ folder, paths, texts, tools: { helm, helmfile }, signal: abortOnSignal() },
    ...(config && { config }),
    ...(cluster && { cluster }),
  });
  const result = { ...checked, notes: joinNotes([...notes, ...checked.notes]) };
  const ok = !result.notes.some(({ kind }) => kind === 'wrong already');
  process.stdout.write(options.json ? inJson(ok, result) : inWords(result));
  return ok ? EXIT.ok : EXIT.failed;
}

async function configOf(
  folder: string,
  given: string | undefined,
): Promise<{ config?: RepositoryConfig; notes: Note[] }> {
  const file = given ?? join(folder, 'slipway.yaml');
  if (given === undefined && !existsSync(file)) return { notes: [] };
  try {
    return { config: await configuredRepository(await loadConfig(file), folder), notes: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const notes = error.problems.map(({ line, ...problem }): Note => ({
      ...{ kind: 'wrong already', file: 'slipway.yaml', line },
      text: formatProblem({ ...problem, line }).replace(/^\S+ /, ''),
    }));
    return { notes };
  }
}

function toBeImported(texts: ReadonlyMap<string, string>): Note[] {
  const { changes, notes } = modernState(texts);
  const text = 'helmfile 1 wants it otherwise: `slipway import` shows how';
  return [
    ...changes.map(({ path, newPath }): Note => {
      return { kind: 'to do', file: path ?? newPath, line: 0, text };
    }),
    ...notes,
  ];
}

function inWords({ environments, notes }: CheckResult): string {
  const width = Math.max(0, ...environments.map(({ name }) => name.length));
  const lines = environments.map(({ name, builds, services }) => {
    const said = builds
      ? `${services} ${services === 1 ? 'service' : 'services'}`
      : 'does not build';
    return `${builds ? '✓' : '✕'} ${name.padEnd(width)}  ${said}`;
  });
  if (environments.length === 0) lines.push('No environment is declared here.');
  return [...lines, ...notesInWords(notes)].map((line) => `${line}\n`).join('');
}

function inJson(ok: boolean, { environments, notes }: CheckResult): string {
  return `${JSON.stringify({ ok, environments, notes }, null, 2)}\n`;
}
