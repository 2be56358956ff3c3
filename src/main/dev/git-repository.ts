import { createHash } from 'node:crypto';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../adapters/process/run.ts';
import { siblingScript } from './sibling-script.ts';

export interface GitRepository {
  name: string;
  /** Where to clone from and push to. */
  url: string;
  branch: string;
  /** The bare repository. */
  folder: string;
  /** From now on every push sends a signed event there. */
  notify(webhook: { url: string; secret: string }): Promise<void>;
}

/** What the hook reads: where events go, and how the repository describes itself in them. */
export interface HookSettings {
  url: string;
  secret: string;
  repository: {
    id: number;
    name: string;
    full_name: string;
    html_url: string;
    clone_url: string;
    default_branch: string;
  };
}

export const HOOK_SETTINGS_FILE = 'slipway-webhook.json';

const BRANCH = 'main';
const OWNER = 'slipway';
const IDENTITY = { name: 'Slipway demo', email: 'demo@slipway.invalid' };

/** Makes a bare repository under `root` that accepts pushes and tells a webhook about them. */
export async function createBareRepository(
  options: { root: string; serverUrl: string; env: Readonly<Record<string, string>> },
  name: string,
  contentFolder: string,
): Promise<GitRepository> {
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(name)) throw new Error(`not a repository name: ${name}`);
  const folder = join(options.root, `${name}.git`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o700 });
  const git = async (...args: string[]) => {
    const result = await run('git', args, { env: options.env, timeoutMs: 60_000 });
    if (result.exitCode !== 0) throw new Error(`git ${args.join(' ')}: ${result.stderr.trim()}`);
  };
  await git('init', '--quiet', '--bare', '--template=', `--initial-branch=${BRANCH}`, folder);
  // Whoever can reach loopback may push: it is a demonstration.
  await git('--git-dir', folder, 'config', 'http.receivepack', 'true');
  const here = ['--git-dir', folder, '--work-tree', contentFolder];
  await git(...here, 'add', '--all');
  const identity = [`user.name=${IDENTITY.name}`, `user.email=${IDENTITY.email}`];
  const settings = [...identity, 'commit.gpgsign=false'].flatMap((setting) => ['-c', setting]);
  await git(...settings, ...here, 'commit', '--quiet', '-m', `Start ${name}`);
  await rm(join(folder, 'index'));
  await installHook(folder);
  const url = `${options.serverUrl}/${name}.git`;
  return {
    name,
    url,
    branch: BRANCH,
    folder,
    notify: (webhook) => writeSettings(folder, { ...webhook, repository: describe(name, url) }),
  };
}

/** The hook is a script of its own process: git starts it, this process only says where it is. */
async function installHook(folder: string): Promise<void> {
  const quoted = [process.execPath, siblingScript('push-hook')].map(
    (path) => `'${path.replaceAll("'", `'\\''`)}'`,
  );
  const hook = join(folder, 'hooks', 'post-receive');
  await mkdir(join(folder, 'hooks'), { recursive: true });
  await writeFile(hook, `#!/bin/sh\nexec ${quoted.join(' ')}\n`);
  await chmod(hook, 0o755);
}

async function writeSettings(folder: string, settings: HookSettings): Promise<void> {
  const file = join(folder, HOOK_SETTINGS_FILE);
  await rm(file, { force: true });
  await writeFile(file, JSON.stringify(settings), { mode: 0o600 });
}

function describe(name: string, url: string): HookSettings['repository'] {
  return {
    // Any number will do, as long as it is always the same for one name.
    id: createHash('sha256').update(name).digest().readUInt32BE(),
    name,
    full_name: `${OWNER}/${name}`,
    html_url: url.replace(/\.git$/, ''),
    clone_url: url,
    default_branch: BRANCH,
  };
}
