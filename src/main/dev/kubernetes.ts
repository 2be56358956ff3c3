import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { run } from '../../adapters/process/run.ts';
import { freePort, isListening } from './free-port.ts';
import { startPart, twice, type PlatformContext } from './part.ts';
import { endProcesses, isAlive } from './platform-processes.ts';
import { waitUntil } from './wait-until.ts';

/** A control plane whose one node pretends to run Pods: no container, log, probe or exit code is real. */
export interface Kubernetes {
  server: string;
  caFile: string;
  /** Of the service account slipway, who may do everything in this cluster. */
  token: string;
  /** Of an administrator, for people. */
  kubeconfigPath: string;
  createNamespaces(names: readonly string[]): Promise<void>;
  /** From now on images named "…-missing" can be pulled; Pods that wait for one become ready. */
  publishImages(): Promise<void>;
  /** From now on images named "…-missing" cannot be pulled, as at the start. */
  withholdImages(): Promise<void>;
  stop(): Promise<void>;
}

const MANIFESTS = fileURLToPath(new URL('../../../templates/cluster/', import.meta.url));
const CONTROL_PLANE = 'etcd,kube-apiserver,kube-controller-manager,kube-scheduler';
const TOKEN_DURATION = '720h';
/** Nothing of the cluster outlives it, so nobody needs time to put things in order. */
const LADDER = { groupTermMs: 0, groupKillMs: 1_000 };

/** Starts a Kubernetes control plane on loopback, and kwok in the place of kubelets. */
export async function startKubernetes(context: PlatformContext): Promise<Kubernetes> {
  const controlPlane = await twice(() => createControlPlane(context));
  const { kubeconfigPath } = controlPlane;
  const kubectl = (args: string[], input?: string) =>
    callKubectl(context, kubeconfigPath, args, input);
  const apply = (...names: string[]) =>
    kubectl([
      ...['apply', '--server-side', '--force-conflicts', '--validate=false'],
      ...names.flatMap((name) => ['-f', join(MANIFESTS, name)]),
    ]);
  try {
    await waitUntil(
      'setting up the cluster',
      () => apply('access.yaml', 'node.yaml', 'pods.yaml', 'missing-images.yaml'),
      { timeoutMs: 30_000, intervalMs: 100 },
    );
    const [kwok, token, cluster] = await Promise.all([
      // Only now: a kwok that finds no Stages asks for them again after five seconds.
      twice(() => startKwok(context, kubeconfigPath)),
      kubectl(['create', 'token', 'slipway', '-n', 'kube-system', '--duration', TOKEN_DURATION]),
      readCluster(kubeconfigPath),
    ]);
    // The API server learns of a binding a moment after it was written; until then it forbids everything.
    const asSlipway = ['--as', 'system:serviceaccount:kube-system:slipway'];
    await waitUntil(
      "waiting for the service account's rights",
      async () => (await kubectl(['auth', 'can-i', '*', '*', ...asSlipway])).startsWith('yes'),
      { timeoutMs: 30_000, intervalMs: 100 },
    );
    return {
      ...cluster,
      token: token.trim(),
      kubeconfigPath,
      createNamespaces: async (names) => {
        if (names.length === 0) return;
        const list = names.map((name) => ({
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name },
        }));
        const manifest = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: list });
        await kubectl(['apply', '--server-side', '--validate=false', '-f', '-'], manifest);
      },
      publishImages: async () => {
        await kubectl(['delete', 'stage', 'image-missing', '--ignore-not-found']);
      },
      withholdImages: async () => {
        await apply('missing-images.yaml');
      },
      stop: async () => {
        await kwok.stop();
        await controlPlane.stop();
      },
    };
  } catch (error) {
    await controlPlane.stop();
    throw error;
  }
}

/** kwokctl makes the keys, starts the four programs and returns; they live on without it. */
async function createControlPlane(context: PlatformContext) {
  const folder = join(context.folder, 'kubernetes');
  const kubeconfigPath = join(folder, 'kubeconfig');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { tools } = context;
  const created = await run(
    tools.kwokctl,
    [
      ...['create', 'cluster', '--name', 'slipway', '--runtime', 'binary', '--disable-qps-limits'],
      ...['--config', join(MANIFESTS, 'kwokctl.yaml'), '--components', CONTROL_PLANE],
      // Without this it would change the kubeconfig of whoever started the platform.
      ...['--kubeconfig', kubeconfigPath],
      ...['--etcd-binary', tools.etcd],
      ...['--kube-apiserver-binary', tools['kube-apiserver']],
      ...['--kube-controller-manager-binary', tools['kube-controller-manager']],
      ...['--kube-scheduler-binary', tools['kube-scheduler']],
    ],
    { env: { ...context.env, KWOK_WORKDIR: folder }, timeoutMs: 120_000 },
  );
  const pids = await startedBy(join(folder, 'clusters', 'slipway', 'pids'));
  for (const pid of pids) context.reaper.register(pid, 'SIGKILL');
  const stop = async () => {
    await endProcesses(new Map(pids.map((pid) => [pid, 'SIGKILL'])), 5_000);
    for (const pid of pids) context.reaper.forget(pid);
  };
  // A program whose port was taken in the meantime has ended, and kwokctl does not look.
  if (created.exitCode === 0 && pids.length < CONTROL_PLANE.split(',').length) {
    await stop();
    throw new Error('creating the Kubernetes control plane: a part of it ended at once');
  }
  if (created.exitCode !== 0) {
    await stop();
    throw new Error(`creating the Kubernetes control plane: ${created.stderr.slice(-3_000)}`);
  }
  return { kubeconfigPath, stop };
}

async function startedBy(pidFolder: string): Promise<number[]> {
  const files = await readdir(pidFolder).catch(() => []);
  const texts = await Promise.all(files.map((file) => readFile(join(pidFolder, file), 'utf8')));
  return texts.map(Number).filter((pid) => pid > 0 && isAlive(pid));
}

async function startKwok(context: PlatformContext, kubeconfigPath: string) {
  const port = await freePort();
  return await startPart(context, {
    name: 'kwok',
    file: context.tools.kwok,
    args: [
      ...['--kubeconfig', kubeconfigPath, '--manage-all-nodes=true', '--enable-crds=Stage'],
      ...['--node-lease-duration-seconds=200', `--server-address=127.0.0.1:${port}`],
    ],
    logFile: join(context.folder, 'logs', 'kwok.log'),
    isReady: () => isListening(port),
    timeoutMs: 30_000,
    ladder: LADDER,
  });
}

async function readCluster(kubeconfigPath: string) {
  const kubeconfig = parse(await readFile(kubeconfigPath, 'utf8')) as {
    clusters: { cluster: { server: string; 'certificate-authority': string } }[];
  };
  const cluster = kubeconfig.clusters[0]?.cluster;
  if (!cluster) throw new Error(`reading ${kubeconfigPath}: no cluster in it`);
  return { server: cluster.server, caFile: cluster['certificate-authority'] };
}

async function callKubectl(
  context: PlatformContext,
  kubeconfigPath: string,
  args: string[],
  input?: string,
): Promise<string> {
  const result = await run(context.tools.kubectl, ['--kubeconfig', kubeconfigPath, ...args], {
    env: context.env,
    timeoutMs: 60_000,
    ...(input === undefined ? {} : { input }),
  });
  if (result.exitCode === 0) return result.stdout;
  throw new Error(`kubectl ${args.slice(0, 2).join(' ')}: ${result.stderr.trim()}`);
}
