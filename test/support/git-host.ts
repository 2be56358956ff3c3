import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/adapters/process/run.ts';
import { serveGit } from '../../src/main/dev/git-http.ts';
import { startLoopbackServer } from '../../src/main/dev/loopback-server.ts';

/** A forge on loopback: real git over HTTP, with a token if wanted, and times at which it is away. */
export interface GitHost {
  url: string;
  /** A folder for mirrors, removed with the host. */
  folder: string;
  /** The only token that is let in; undefined lets in everybody. */
  token: string | undefined;
  /** What answers before git does: `true` when it has dealt with the request. */
  intercept: ((request: IncomingMessage) => Promise<number | undefined>) | undefined;
  /** `git` in the bare repository; answers with what it printed. */
  git: (args: readonly string[], input?: string) => Promise<string>;
  /** Writes a commit and points the branch at it. */
  commit: (commit: NewCommit) => Promise<string>;
  stop: () => Promise<void>;
}

interface NewCommit {
  files: Readonly<Record<string, string | { mode: string; content: string }>>;
  /** Default: what the branch points at. Empty: a root. */
  parents?: readonly string[];
  branch?: string;
  message?: string;
}

const ENV = {
  PATH: process.env.PATH ?? '/usr/bin:/bin',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
};
const DATE = '1760000000 +0200';
export const AUTHOR = 'Ada Lovelace <ada@example.org>';

export async function startGitHost(): Promise<GitHost> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-git-'));
  const root = join(folder, 'served');
  const bare = join(root, 'repo.git');
  const git = async (args: readonly string[], input?: string) => {
    const options = input === undefined ? { env: ENV } : { env: ENV, input };
    const result = await run('git', ['--git-dir', bare, ...args], options);
    if (result.exitCode !== 0) throw new Error(`git ${args.join(' ')}: ${result.stderr}`);
    return result.stdout.trim();
  };
  await git(['init', '--quiet', '--bare', '--template=', '--initial-branch=main', bare]);
  const server = await startLoopbackServer((request, response) => {
    void (async () => {
      const wanted = host.token && `Basic ${btoa(`x-access-token:${host.token}`)}`;
      const status =
        (await host.intercept?.(request)) ??
        (wanted && request.headers.authorization !== wanted ? 401 : undefined);
      if (status === undefined) return serveGit({ root, env: ENV }, request, response);
      response.writeHead(status, { 'www-authenticate': 'Basic realm="forge"' }).end('no\n');
    })();
  });
  const host: GitHost = {
    url: `${server.url}/repo.git`,
    folder,
    token: undefined,
    intercept: undefined,
    git,
    commit: async ({ files, parents, branch = 'main', message = 'Change something' }) => {
      const ref = `refs/heads/${branch}`;
      const before = parents ?? (await git(['for-each-ref', '--format=%(objectname)', ref]));
      const [first, ...merged] = [before].flat().filter((parent) => parent !== '');
      const stream = [
        `commit refs/slipway-test/new\nauthor ${AUTHOR} ${DATE}\ncommitter ${AUTHOR} ${DATE}\n`,
        data(message),
        first === undefined ? '' : `from ${first}\n`,
        ...merged.map((parent) => `merge ${parent}\n`),
        ...Object.entries(files).map(([path, file]) => fileChange(path, file)),
      ];
      await git(['fast-import', '--quiet', '--force'], stream.join(''));
      const made = await git(['rev-parse', 'refs/slipway-test/new']);
      await git(['update-ref', ref, made]);
      // The next commit starts where it says, not here.
      await git(['update-ref', '-d', 'refs/slipway-test/new']);
      return made;
    },
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
  return host;
}

function fileChange(path: string, file: NewCommit['files'][string]): string {
  const { mode, content } = typeof file === 'string' ? { mode: '100644', content: file } : file;
  const name = JSON.stringify(path);
  return mode === '160000'
    ? `M ${mode} ${content} ${name}\n`
    : `M ${mode} inline ${name}\n${data(content)}`;
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`;
}
