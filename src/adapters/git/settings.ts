import { chmod, mkdir, writeFile } from 'node:fs/promises';
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

/** The whole environment of a git child process. Plain http is for a repository on loopback. */
export async function gitEnvironment(access: GitAccess): Promise<Record<string, string>> {
  const askpass = join(access.folder, 'askpass');
  await mkdir(access.folder, { recursive: true, mode: 0o700 });
  await writeFile(askpass, ASKPASS, { mode: 0o700 });
  await chmod(askpass, 0o700);
  return {
    PATH: access.path,
    HOME: access.folder,
    LANG: 'C.UTF-8',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: askpass,
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
