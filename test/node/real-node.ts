import { randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readKubeconfig, type ClusterAccess } from '../../src/adapters/kubernetes/access.ts';
import { openKubernetes } from '../../src/adapters/kubernetes/client.ts';
import { run } from '../../src/adapters/process/run.ts';
import { startService } from '../../src/adapters/process/service.ts';
import type { ensureTools } from '../../src/adapters/tools/ensure-tools.ts';
import { claimFolder } from '../../src/main/dev/claim-folder.ts';
import { logTail } from '../../src/main/dev/part.ts';
import { endProcesses, PLATFORM_VARIABLE } from '../../src/main/dev/platform-processes.ts';
import { startReaper } from '../../src/main/dev/reaper.ts';
import { waitUntil } from '../../src/main/dev/wait-until.ts';
import { makeImages } from './images.ts';
import { CGROUP, cgroupMounts, NETWORK, writeNodeFiles } from './node-files.ts';
import { startEmptyRegistry } from './registry.ts';
import { nodeEnv } from './requirements.ts';

/** A Kubernetes cluster whose one node is real: containers, logs, probes and exit codes are their own. */
export interface RealNode {
  /** An administrator's, for namespace `default`. */
  access: ClusterAccess;
  kubeconfig: string;
  stop(): Promise<void>;
}

// One for a machine, as it owns a bridge and a cgroup; short, because a socket lies in it.
export const NODE_FOLDER = '/var/lib/slipway-test-node';
const NODE = 'real-node';
const CLUSTER = 'real';
const MANIFESTS = join(import.meta.dirname, '../../templates/cluster');

export const NODE_TOOLS = [
  ...(['kubelet', 'kwokctl', 'etcd', 'kube-apiserver', 'kube-controller-manager'] as const),
  ...(['kube-scheduler', 'kubectl', 'kwok', 'helm'] as const),
] as const;

export type NodeTools = Awaited<ReturnType<typeof ensureTools<(typeof NODE_TOOLS)[number]>>>;

/** Starts it in a few seconds. When this process ends, in whatever way, all of it ends. */
export async function startRealNode(tools: NodeTools): Promise<RealNode> {
  await claimFolder(NODE_FOLDER);
  await removeTraces();
  const id = randomBytes(8).toString('hex');
  const env = { ...nodeEnv(), HOME: NODE_FOLDER, [PLATFORM_VARIABLE]: id };
  const reaper = await startReaper(id, NODE_FOLDER);
  const registry = await startEmptyRegistry();
  const kubeconfig = join(NODE_FOLDER, 'kubeconfig');
  const started: { stop(): Promise<void> }[] = [registry];
  const stop = async () => {
    for (const part of started.reverse()) await part.stop();
    await removeTraces();
    await reaper.close();
  };
  try {
    const [, controlPlane] = await Promise.all([
      makeImages(await made(join(NODE_FOLDER, 'images'))),
      startControlPlane(tools, kubeconfig, env),
      addNetwork(env),
    ]);
    for (const pid of controlPlane) reaper.register(pid, 'SIGKILL');
    started.push({
      stop: () => endProcesses(new Map(controlPlane.map((pid) => [pid, 'SIGKILL'])), 5_000),
    });
    const script = await writeNodeFiles({
      ...{ folder: NODE_FOLDER, kubeconfig, kubelet: tools.kubelet, name: NODE },
      registryUrl: registry.url,
    });
    const unshare = ['--mount', '--pid', '--fork', '--mount-proc', '--kill-child'];
    const logFile = join(NODE_FOLDER, 'log/node.log');
    const node = await startService('/usr/bin/unshare', [...unshare, '/bin/bash', script], {
      env,
      logFile,
    });
    // Nothing less ends unshare, and with it the namespace and all that runs in there.
    reaper.register(node.pid, 'SIGKILL');
    started.push({
      stop: () => node.stop({ leaderSignal: 'SIGKILL', groupTermMs: 0, groupKillMs: 0 }),
    });
    const access = {
      ...(await readKubeconfig(kubeconfig, `kwok-${CLUSTER}`)),
      namespace: 'default',
    };
    await waitUntil('a node that is ready', () => isNodeReady(access), { timeoutMs: 60_000 });
    return { access, kubeconfig, stop };
  } catch (error) {
    const logs = ['node', 'containerd', 'kubelet'].map((name) =>
      logTail(join(NODE_FOLDER, 'log', `${name}.log`)),
    );
    await stop();
    throw new Error(`the real node did not start:\n${logs.join('\n')}`, { cause: error });
  }
}

async function startControlPlane(
  tools: NodeTools,
  kubeconfig: string,
  env: Readonly<Record<string, string>>,
): Promise<number[]> {
  const workdir = await made(join(NODE_FOLDER, 'control-plane'));
  const created = await run(
    tools.kwokctl,
    [
      ...['create', 'cluster', '--name', CLUSTER, '--runtime', 'binary', '--disable-qps-limits'],
      ...['--config', join(MANIFESTS, 'kwokctl.yaml'), '--kubeconfig', kubeconfig],
      ...['--components', 'etcd,kube-apiserver,kube-controller-manager,kube-scheduler'],
      ...['--etcd-binary', tools.etcd, '--kube-apiserver-binary', tools['kube-apiserver']],
      ...['--kube-controller-manager-binary', tools['kube-controller-manager']],
      ...['--kube-scheduler-binary', tools['kube-scheduler']],
      // By its name the API server would not find the kubelet, and could read no log.
      ...['--extra-args', 'kube-apiserver=kubelet-preferred-address-types=InternalIP'],
    ],
    { env: { ...env, KWOK_WORKDIR: workdir }, timeoutMs: 120_000, keepTailBytes: 8_192 },
  );
  const pidFolder = join(workdir, 'clusters', CLUSTER, 'pids');
  const files = await readdir(pidFolder).catch(() => []);
  const pids = await Promise.all(files.map((file) => readFile(join(pidFolder, file), 'utf8')));
  if (created.exitCode === 0) return pids.map(Number).filter((pid) => pid > 0);
  await endProcesses(new Map(pids.map((pid) => [Number(pid), 'SIGKILL'])), 5_000);
  throw new Error(`creating the control plane: ${created.stderr}`);
}

/** Its own bridge, whose address is also the node's: that is how the API server reaches the kubelet. */
async function addNetwork(env: Readonly<Record<string, string>>): Promise<void> {
  const { bridge, address } = NETWORK;
  for (const args of [
    ['link', 'add', bridge, 'type', 'bridge'],
    ['addr', 'add', `${address}/24`, 'dev', bridge],
    ['link', 'set', bridge, 'up'],
  ]) {
    const { exitCode, stderr } = await run('/usr/sbin/ip', args, { env });
    if (exitCode !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
  }
  for (const mount of (await cgroupMounts()).own) {
    await mkdir(join(mount, CGROUP), { recursive: true });
  }
}

/** What a node leaves in the kernel; also after one that was killed. */
export async function removeTraces(): Promise<void> {
  await run('/usr/sbin/ip', ['link', 'del', NETWORK.bridge], { env: nodeEnv() });
  for (const mount of (await cgroupMounts()).all) {
    // The kernel needs a moment to let go of a cgroup whose last process has just ended.
    for (let tries = 0; tries < 20; tries += 1) {
      if (await removeFolders(join(mount, CGROUP))) break;
      await delay(100);
    }
  }
}

/** Removes a tree of folders, the only thing a cgroup consists of; answers whether it is gone. */
async function removeFolders(folder: string): Promise<boolean> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return true;
  for (const entry of entries) {
    if (entry.isDirectory()) await removeFolders(join(folder, entry.name));
  }
  return rmdir(folder).then(
    () => true,
    () => false,
  );
}

async function isNodeReady(access: ClusterAccess): Promise<boolean> {
  const { items } = await openKubernetes(access).core.listNode();
  return items.some(({ status }) =>
    status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True'),
  );
}

async function made(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  return folder;
}
