import { makeChanges, readTexts } from '../adapters/deployment-repository/repository-texts.ts';
import { WorkTree } from '../adapters/git/work-tree.ts';
import { findTools } from '../adapters/tools/ensure-tools.ts';
import { EXIT } from '../cli/exit-codes.ts';
import { fileDiff, type FileChange } from '../domain/diff/file.ts';
import { importMessage } from '../domain/import/message.ts';
import { joinNotes, notesInWords, type Note } from '../domain/import/note.ts';
import { abortOnSignal } from './abort-on-signal.ts';
import type { CheckedCheckout } from './check-repository.ts';
import type { VersionKeys } from './check-versions.ts';
import { proposeImport, type Proposal } from './import-proposal.ts';

export interface ImportOptions {
  write?: boolean;
  branch?: string;
  /** A context of the person's kubeconfig. */
  cluster?: string;
  json?: boolean;
}

/**
 * Proposes what a repository of the old kind needs, as a diff with notes, or makes it. Everything is read
 * and checked before anything is written. Returns the exit code.
 */
export async function importRepository(folder: string, options: ImportOptions): Promise<number> {
  const tree = await WorkTree.open(folder, process.env);
  const paths = await tree.files();
  const files = await readTexts(folder, paths);
  const place = { folder, url: await tree.origin() };
  const cluster = await clusterOf(options);
  const checkout = { folder, paths, texts: files, ...(cluster && { cluster }) };
  const proposal = await checked(checkout, (versionKeys) =>
    proposeImport(files, paths, { ...place, versionKeys }),
  );
  const done = await carryOut(folder, tree, proposal, options);
  process.stdout.write(options.json ? inJson(proposal, done) : inWords(proposal, done));
  return EXIT.ok;
}

/** The client of Kubernetes is loaded only for who asks for a cluster. */
async function clusterOf({ cluster }: ImportOptions) {
  if (cluster === undefined) return undefined;
  const { ownCluster } = await import('./own-cluster.ts');
  return ownCluster(cluster);
}

/** The proposal with what is wrong already, as far as this machine can evaluate the repository. */
async function checked(
  checkout: Omit<CheckedCheckout, 'tools' | 'config' | 'changes' | 'signal'>,
  propose: (versionKeys?: VersionKeys) => Proposal,
): Promise<Proposal> {
  const proposal = propose();
  const { helm, helmfile } = await findTools(['helm', 'helmfile']);
  if (!helm.found || !helmfile.found) {
    const text = `not checked, for lack of helm and helmfile: run \`slipway tools install\`, then \`slipway doctor ${checkout.folder}\``;
    const note: Note = { kind: 'to do', file: 'helmfile', line: 0, text };
    return { ...proposal, notes: joinNotes([...proposal.notes, note]) };
  }
  const { checkRepository } = await import('./check-repository.ts');
  const { config, changes } = proposal;
  const tools = { helm: helm.found.path, helmfile: helmfile.found.path };
  const result = await checkRepository({
    ...{ ...checkout, changes, tools, signal: abortOnSignal() },
    ...(config && { config }),
  });
  const complete = propose(result.versionKeys);
  return { ...complete, notes: joinNotes([...complete.notes, ...result.notes]) };
}

interface Done {
  written?: true;
  commit?: string;
  branch?: string;
}

async function carryOut(
  folder: string,
  tree: WorkTree,
  { changes }: Proposal,
  { write, branch }: ImportOptions,
): Promise<Done> {
  if (changes.length === 0 || (!write && branch === undefined)) return {};
  await tree.checkClean(changes.map(({ path, newPath }) => path ?? newPath));
  if (branch === undefined) {
    await makeChanges(folder, changes);
    return { written: true };
  }
  await tree.checkCommitted();
  const make = (place: string) => makeChanges(place, changes);
  return { branch, commit: await tree.commitOnBranch(branch, importMessage(changes), make) };
}

function inWords({ changes, notes }: Proposal, { written, commit, branch }: Done): string {
  const lines = changes.flatMap((change) => (written ? [changed(change)] : fileDiff(change)));
  if (changes.length === 0) lines.push('Nothing to change.');
  if (commit !== undefined) {
    lines.splice(0, lines.length, ...changes.map(changed));
    lines.push(`committed ${commit.slice(0, 12)} on the branch ${branch ?? ''}`);
  }
  return [...lines, ...notesInWords(notes)].map((line) => `${line}\n`).join('');
}

function changed({ path, newPath }: FileChange): string {
  if (path === undefined) return `new ${newPath}`;
  return path === newPath ? `changed ${path}` : `changed ${path}, now ${newPath}`;
}

function inJson({ changes, notes }: Proposal, done: Done): string {
  const files = changes.map((change) => ({
    ...(change.path === undefined ? {} : { path: change.path }),
    newPath: change.newPath,
    diff: `${fileDiff(change).join('\n')}\n`,
  }));
  return `${JSON.stringify({ ...done, changes: files, notes }, null, 2)}\n`;
}
