import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { serveGit } from './git-http.ts';
import { createBareRepository, type GitRepository } from './git-repository.ts';
import { startLoopbackServer } from './loopback-server.ts';
import type { PlatformContext } from './part.ts';

export interface GitServer {
  url: string;
  /** Makes a repository whose first commit on main is the content of `contentFolder`. */
  createRepository(name: string, contentFolder: string): Promise<GitRepository>;
  stop(): Promise<void>;
}

/** Serves git repositories over HTTP on loopback to whoever asks, pushes included. */
export async function startGitServer(context: PlatformContext): Promise<GitServer> {
  const root = join(context.folder, 'git');
  await mkdir(root, { recursive: true, mode: 0o700 });
  const server = await startLoopbackServer((request, response) => {
    void serveGit({ root, env: gitEnv(context) }, request, response);
  });
  return {
    url: server.url,
    createRepository: (name, contentFolder) =>
      createBareRepository(
        { root, serverUrl: server.url, env: gitEnv(context) },
        name,
        contentFolder,
      ),
    stop: () => server.stop(),
  };
}

/** Nobody's own git configuration has a say: signing, hooks, templates, proxies. */
function gitEnv(context: PlatformContext): Readonly<Record<string, string>> {
  return {
    ...context.env,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
  };
}
