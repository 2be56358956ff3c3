import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from '../../src/adapters/process/run.ts';

/** What a real node is made of, beside the kubelet; Debian's names. */
const PACKAGES = [
  'containerd',
  'runc',
  'containernetworking-plugins',
  'busybox-static',
  'iproute2',
];
const PROGRAMS = ['containerd', 'ctr', 'runc', 'busybox', 'ip', 'unshare', 'mount', 'tar'];
const BRIDGE = '/usr/lib/cni/bridge';

/**
 * Why this machine cannot run a real node, or nothing when it can. Installs what is missing where it
 * may; what it may not do, it names as a command.
 */
export async function whyNoRealNode(): Promise<string | undefined> {
  if (process.platform !== 'linux')
    return `a kubelet runs on Linux only, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'only root may start containers with a kubelet';
  const missing = missingPrograms();
  if (missing.length > 0) {
    const failure = await install();
    if (failure !== undefined) return `${missing.join(', ')} missing: ${failure}`;
  }
  return await whyNoNamespace();
}

function missingPrograms(): string[] {
  const folders = searchPath().split(delimiter);
  const programs = PROGRAMS.filter((name) => !folders.some((each) => existsSync(join(each, name))));
  return existsSync(BRIDGE) ? programs : [...programs, BRIDGE];
}

async function install(): Promise<string | undefined> {
  const command = `apt-get update && apt-get install -y --no-install-recommends ${PACKAGES.join(' ')}`;
  const apt = '/usr/bin/apt-get';
  if (!existsSync(apt)) return `install what Debian calls ${PACKAGES.join(' ')}`;
  const env = { ...nodeEnv(), DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...PACKAGES]]) {
    const { exitCode } = await run(apt, args, { env, timeoutMs: 300_000, keepTailBytes: 4_096 });
    if (exitCode !== 0) return `run \`${command}\``;
  }
  const left = missingPrograms();
  return left.length === 0 ? undefined : `${left.join(', ')} are not in those packages`;
}

async function whyNoNamespace(): Promise<string | undefined> {
  const args = ['--mount', '--pid', '--fork', '--mount-proc', '--kill-child'];
  const mount = ['mount', '-t', 'tmpfs', 'tmpfs', '/run'];
  const { exitCode, stderr } = await run('/usr/bin/unshare', [...args, ...mount], {
    env: nodeEnv(),
  });
  return exitCode === 0 ? undefined : `no mounts of our own are allowed here (${stderr.trim()})`;
}

/** The environment of the node's programs: root's folders are not on every PATH. */
export function nodeEnv(): Record<string, string> {
  const env: Record<string, string> = { PATH: searchPath(), LANG: 'C.UTF-8', HOME: '/root' };
  for (const name of ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'no_proxy']) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}

function searchPath(): string {
  return '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
}
