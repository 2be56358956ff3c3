import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { findSecretsPlugin, type SecretsPlugin } from './secrets-plugin.ts';

/** The folders of one attempt: its own home, removed afterwards, and what lives on for the environment. */
export interface Workspace {
  /** Removed when the attempt ends. */
  root: string;
  tree: string;
  kubeconfig: string;
  /** Helm's repository file and chart cache: lives on, one for each environment. */
  helmHome: string;
  /** Folder that holds helmfile and helm and nothing else. */
  bin: string;
  /** What the environment permits of that which is refused by default. */
  allow: readonly string[];
  /** Where `allow` permits it. */
  secretsPlugin?: SecretsPlugin;
}

export interface WorkspacePlace {
  dataDir: string;
  cluster: string;
  namespace: string;
  /** Names the attempt's folder, for people who look at the disk. */
  name: string;
  tools: { helm: string; helmfile: string };
  /** The environment's `allow`; nothing by default. */
  allow?: readonly string[];
  /** The worker's own environment, for where its plugins are. */
  workerEnv?: NodeJS.ProcessEnv;
}

const OWNED_ONLY = { recursive: true, mode: 0o700 } as const;

/** Makes a fresh workspace, hands it to `work`, and removes it however the work ends. */
export async function withWorkspace<T>(
  place: WorkspacePlace,
  work: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  const attempts = join(place.dataDir, 'attempts');
  await mkdir(attempts, OWNED_ONLY);
  const root = await mkdtemp(join(attempts, `${place.name}-`));
  try {
    const workspace = await layOut(root, place);
    return await work(workspace);
  } finally {
    // What cannot be removed now is swept at the next start; it must not change the attempt's end.
    await rm(root, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
  }
}

/** Removes what attempts of a killed worker left behind; call before the first attempt. */
export async function sweepWorkspaces(dataDir: string): Promise<void> {
  await rm(join(dataDir, 'attempts'), { recursive: true, force: true });
}

async function layOut(root: string, place: WorkspacePlace): Promise<Workspace> {
  const helmHome = join(place.dataDir, 'helm', place.cluster, place.namespace);
  const bin = join(root, 'bin');
  const folders = [
    ...['tree', 'home', 'tmp', 'hf', 'cache', 'bin', 'plugins'].map((name) => join(root, name)),
    ...['cache', 'config', 'data'].map((name) => join(helmHome, name)),
  ];
  await Promise.all(folders.map((folder) => mkdir(folder, OWNED_ONLY)));
  await symlink(place.tools.helm, join(bin, 'helm'));
  await symlink(place.tools.helmfile, join(bin, 'helmfile'));
  const allow = place.allow ?? [];
  const tree = join(root, 'tree');
  const workspace = { root, tree, kubeconfig: join(root, 'kubeconfig'), helmHome, bin, allow };
  if (!allow.includes('secrets')) return workspace;
  const secretsPlugin = findSecretsPlugin(place.workerEnv ?? process.env);
  await symlink(secretsPlugin.folder, join(root, 'plugins', 'secrets'));
  return { ...workspace, secretsPlugin };
}
