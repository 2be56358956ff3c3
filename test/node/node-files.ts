import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { PAUSE_IMAGE } from './images.ts';

/** Taken from the range that is kept for benchmarks, so that it meets no network of the machine. */
export const NETWORK = { bridge: 'slipnode0', address: '198.18.53.1', range: '198.18.53.0/24' };
export const CGROUP = 'slipway-test-node';

export interface NodePlace {
  folder: string;
  kubeconfig: string;
  kubelet: string;
  name: string;
  registryUrl: string;
}

/** Where cgroup hierarchies are mounted: several of version 1, or the one of version 2. */
export async function cgroupMounts(): Promise<{ all: string[]; own: string[] }> {
  const lines = (await readFile('/proc/mounts', 'utf8')).split('\n').map((line) => line.split(' '));
  const of = (type: string) =>
    lines.filter((fields) => fields[2] === type).map((fields) => fields[1] ?? '');
  const v1 = of('cgroup');
  // The kubelet wants its root in every hierarchy of version 1, the one named systemd too.
  return { own: v1.length > 0 ? v1 : ['/sys/fs/cgroup'], all: [...v1, ...of('cgroup2')] };
}

/** Writes the settings of containerd, its network and the kubelet, and answers the script that runs them. */
export async function writeNodeFiles(place: NodePlace): Promise<string> {
  const { folder } = place;
  for (const name of ['cni', 'kubelet', 'log', 'fake', 'certs.d/_default']) {
    await mkdir(join(folder, name), { recursive: true });
  }
  await writeFile(join(folder, 'cni/10-node.conflist'), JSON.stringify(network(folder)));
  await writeFile(
    join(folder, 'certs.d/_default/hosts.toml'),
    `server = "${place.registryUrl}"\n[host."${place.registryUrl}"]\n  capabilities = ["pull", "resolve"]\n`,
  );
  await writeFile(join(folder, 'containerd.toml'), containerd(folder));
  await writeFile(join(folder, 'kubelet.yaml'), stringify(kubelet(folder)));
  const script = join(folder, 'node.sh');
  await writeFile(script, inside(place));
  return script;
}

function network(folder: string) {
  const ranges = [[{ subnet: NETWORK.range, gateway: NETWORK.address }]];
  const ipam = { type: 'host-local', dataDir: join(folder, 'ipam'), ranges };
  const bridge = { type: 'bridge', bridge: NETWORK.bridge, isGateway: false, ipMasq: false, ipam };
  return { cniVersion: '1.0.0', name: 'node', plugins: [bridge] };
}

function containerd(folder: string): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = "${folder}/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "${folder}/c.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "${folder}/opt"
[${cri}]
  sandbox_image = "${PAUSE_IMAGE}"
  # Without CAP_SYS_RESOURCE runc cannot write the score that the kubelet wants.
  restrict_oom_score_adj = true
  [${cri}.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [${cri}.containerd.runtimes.runc.options]
      SystemdCgroup = false
  [${cri}.registry]
    config_path = "${folder}/certs.d"
  [${cri}.cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${folder}/cni"
`;
}

function kubelet(folder: string) {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    ...{ address: NETWORK.address, port: 10250, readOnlyPort: 0, healthzPort: 0 },
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    containerRuntimeEndpoint: `unix://${folder}/c.sock`,
    ...{ cgroupDriver: 'cgroupfs', cgroupRoot: `/${CGROUP}` },
    // Hosts with version 1 are refused otherwise.
    failCgroupV1: false,
    ...{ failSwapOn: false, makeIPTablesUtilChains: false, resolvConf: '' },
    clusterDNS: [NETWORK.address],
    imageGCHighThresholdPercent: 100,
    volumePluginDir: join(folder, 'kubelet/volume-plugins'),
    evictionHard: {
      'memory.available': '50Mi',
      'nodefs.available': '1%',
      'imagefs.available': '1%',
    },
    // So that crash loops are over soon.
    crashLoopBackOff: { maxContainerRestartPeriod: '2s' },
  };
}

/**
 * Runs in a mount and a process namespace of its own, so that one kill ends containerd, the kubelet and
 * every container, and takes the mounts along. The kubelet writes kernel settings that are the whole
 * machine's: it gets look-alikes with the values that it wants.
 */
function inside({ folder, kubeconfig, kubelet: program, name }: NodePlace): string {
  return `set -eu
mount -t tmpfs tmpfs /run
for d in /var/log/pods /var/log/containers /var/lib/cni /var/lib/kubelet; do mkdir -p $d; mount -t tmpfs tmpfs $d; done
fake() { echo "$2" >"${folder}/fake/$(echo "$1" | tr / _)"; mount --bind "${folder}/fake/$(echo "$1" | tr / _)" "/proc/sys/$1"; }
fake vm/overcommit_memory 1; fake vm/panic_on_oom 0; fake kernel/panic 10; fake kernel/panic_on_oops 1
fake kernel/keys/root_maxkeys 1000000; fake kernel/keys/root_maxbytes 25000000
containerd --config "${folder}/containerd.toml" >"${folder}/log/containerd.log" 2>&1 &
until ctr -a "${folder}/c.sock" version >/dev/null 2>&1; do sleep .1; done
for image in pause app; do ctr -a "${folder}/c.sock" -n k8s.io images import "${folder}/images/$image.tar"; done
"${program}" --config "${folder}/kubelet.yaml" --kubeconfig "${kubeconfig}" --hostname-override "${name}" \\
  --node-ip ${NETWORK.address} --root-dir "${folder}/kubelet" --cert-dir "${folder}/pki" \\
  --maximum-dead-containers-per-container=2 >"${folder}/log/kubelet.log" 2>&1 &
wait
`;
}
