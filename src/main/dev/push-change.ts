import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from '../../adapters/process/run.ts';

export interface PushedChange {
  commit: string;
  /** What the server's hook said about it. */
  output: string;
}

/** Commits these files to a branch and pushes it, as a merged pull request would. */
export async function pushChange(options: {
  url: string;
  branch: string;
  message: string;
  /** New contents by path. */
  files: Readonly<Record<string, string>>;
  author?: { name: string; email: string };
}): Promise<PushedChange> {
  const clone = await mkdtemp(join(tmpdir(), 'slipway-push-'));
  const author = options.author ?? { name: 'Ada Example', email: 'ada@example.org' };
  const env = {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    HOME: clone,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: author.name,
    GIT_AUTHOR_EMAIL: author.email,
    GIT_COMMITTER_NAME: author.name,
    GIT_COMMITTER_EMAIL: author.email,
  };
  const git = async (...args: string[]) => {
    const result = await run('git', ['-c', 'commit.gpgsign=false', ...args], {
      env,
      cwd: clone,
      timeoutMs: 60_000,
    });
    if (result.exitCode !== 0) throw new Error(`git ${args[0] ?? ''}: ${result.stderr.trim()}`);
    return result;
  };
  try {
    await git('clone', '--quiet', '--branch', options.branch, '--', options.url, '.');
    for (const [path, content] of Object.entries(options.files)) {
      await mkdir(dirname(join(clone, path)), { recursive: true });
      await writeFile(join(clone, path), content);
    }
    await git('add', '--all');
    await git('commit', '--quiet', '-m', options.message);
    const pushed = await git('push', '--quiet', 'origin', `HEAD:${options.branch}`);
    const head = await git('rev-parse', 'HEAD');
    return { commit: head.stdout.trim(), output: pushed.stderr };
  } finally {
    await rm(clone, { recursive: true, force: true });
  }
}
