import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** How git is called: nothing of the user's configuration, no hooks, no helpers, no surprises. */

export interface GitAccess {
  /** PATH on which git and ssh are found. */
  path: string;
  url: string;
  /** Token for https; reaches git through the environment and an askpass script only. */
  token?: string;
  /** Folder for the askpass script. */
  folder: string;
}

// The token is in the environment and never on a command line, where every user could read it.
const ASKPASS = `#!/bin/sh
case "$1" in
  Username*) printf '%s' x-access-token ;;
  *) printf '%s' "$SLIPWAY_GIT_TOKEN" ;;
esac
`;

const CONFIG = [
  'core.hooksPath=/dev/null',
  'core.symlinks=false',
  'core.fsmonitor=false',
  'core.protectNTFS=true',
  'core.protectHFS=true',
  'protocol.version=2',
  'protocol.ext.allow=never',
  'protocol.file.allow=never',
  'submodule.recurse=false',
  'fetch.fsckObjects=true',
  'transfer.credentialsInUrl=die',
  'http.followRedirects=false',
  'http.lowSpeedLimit=1000',
  'http.lowSpeedTime=30',
  'gc.auto=0',
  'maintenance.auto=false',
  'safe.bareRepository=explicit',
  'init.templateDir=',
  'credential.helper=',
];

/** `-c` arguments that stand before git's command. */
export const CONFIG_ARGS: readonly string[] = CONFIG.flatMap((setting) => ['-c', setting]);

/** Writes the script by which git asks for the token. Call once, before git is called. */
export async function writeAskpass(access: GitAccess): Promise<void> {
  const file = askpassFile(access);
  const fresh = `${file}.${process.pid}`;
  await mkdir(access.folder, { recursive: true, mode: 0o700 });
  await rm(fresh, { force: true });
  await writeFile(fresh, ASKPASS, { mode: 0o700 });
  await chmod(fresh, 0o700);
  // A git that asks at this moment must not find half a script.
  await rename(fresh, file);
}

/** The whole environment of a git child process. Plain http is for a repository on loopback. */
export function gitEnvironment(access: GitAccess): Record<string, string> {
  return {
    PATH: access.path,
    HOME: access.folder,
    LANG: 'C.UTF-8',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: askpassFile(access),
    GIT_ALLOW_PROTOCOL: access.url.startsWith('http://') ? 'http' : 'https:ssh',
    GIT_PROTOCOL_FROM_USER: '0',
    GIT_LFS_SKIP_SMUDGE: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_SSH_COMMAND:
      'ssh -F /dev/null -oBatchMode=yes -oStrictHostKeyChecking=yes -oProxyCommand=none',
    ...(access.token === undefined ? {} : { SLIPWAY_GIT_TOKEN: access.token }),
  };
}

function askpassFile({ folder }: GitAccess): string {
  return join(folder, 'askpass');
}
