import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

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
}

export interface WorkspacePlace {
  dataDir: string;
  cluster: string;
  namespace: string;
  /** Names the attempt's folder, for people who look at the disk. */
  name: string;
  tools: { helm: string; helmfile: string };
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
    await rm(root, { recursive: true, force: true, maxRetries: 3 });
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
  return { root, tree: join(root, 'tree'), kubeconfig: join(root, 'kubeconfig'), helmHome, bin };
}

/** What a kubeconfig of exactly one context holds. */
export interface ClusterAccess {
  server: string;
  namespace: string;
  /** PEM text; without it the system's authorities are trusted. */
  certificateAuthority?: string;
  token?: string;
}

/** The only context's name; helmfile and helm are told to use no other. */
export const CONTEXT = 'slipway';

/** Writes a kubeconfig with one context and no plugins, readable by its owner only. */
export async function writeKubeconfig(file: string, access: ClusterAccess): Promise<void> {
  const { server, namespace, certificateAuthority, token } = access;
  const authority = certificateAuthority
    ? { 'certificate-authority-data': Buffer.from(certificateAuthority).toString('base64') }
    : {};
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: CONTEXT, cluster: { server, ...authority } }],
    users: [{ name: CONTEXT, user: token === undefined ? {} : { token } }],
    contexts: [{ name: CONTEXT, context: { cluster: CONTEXT, user: CONTEXT, namespace } }],
    'current-context': CONTEXT,
  };
  await mkdir(dirname(file), OWNED_ONLY);
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
}
