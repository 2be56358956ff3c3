import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BoundedMap } from '../../domain/bounded-map.ts';
import { SlipwayError } from '../../domain/errors.ts';
import { run, type RunResult } from '../process/run.ts';
import { gitError } from './classify.ts';
import { CONFIG_ARGS, gitEnvironment, writeAskpass, type GitAccess } from './settings.ts';
import { checkTree } from './tree.ts';

export interface CommitFacts {
  commit: string;
  /** First line of the message. */
  title: string;
  author: string;
  /** ISO 8601. */
  committedAt: string;
}

const COMMIT = /^[0-9a-f]{40}$/;
/** A deployment checks its commit out at least twice. */
const ACCEPTED_MAX = 100;
/** A git that is told to end leaves its helper on the network behind, so that is told at once too. */
const LADDER = { groupTermMs: 0, groupKillMs: 5_000 };
const BRANCH = /^(?!-)[A-Za-z0-9._/-]{1,200}$/;

/**
 * A bare mirror of one branch with its whole commit history, from which commits are compared and
 * checked out. Several callers may use it at once; fetches wait for each other.
 */
export class Mirror {
  readonly #access: GitAccess;
  readonly #branch: string;
  readonly #dir: string;
  #queue: Promise<unknown> = Promise.resolve();
  #opened = false;
  /** Commits that are here and whose trees were accepted: a commit never changes. */
  readonly #accepted = new BoundedMap<string, true>(ACCEPTED_MAX);

  constructor(access: GitAccess, branch: string) {
    if (!BRANCH.test(branch)) throw new SlipwayError('commit-missing', `bad branch "${branch}"`);
    this.#access = access;
    this.#branch = branch;
    this.#dir = join(access.folder, 'mirror.git');
  }

  /** The commit that the branch points at now, asked from the forge. */
  async head(signal?: AbortSignal): Promise<string> {
    await this.#alone(() => this.#open(signal));
    const ref = `refs/heads/${this.#branch}`;
    const args = ['ls-remote', '--end-of-options', this.#access.url, ref];
    const { stdout } = await this.#git(args, `asking for the head of ${this.#branch}`, signal);
    // Git answers with every ref that ends like the one asked for.
    const lines = stdout.split('\n').map((line) => line.split('\t'));
    const commit = lines.find(([, name]) => name === ref)?.[0] ?? '';
    if (COMMIT.test(commit)) return commit;
    throw new SlipwayError('commit-missing', `The repository has no branch "${this.#branch}".`);
  }

  /** Makes sure that the commit is here, and tells about it. */
  async commit(commit: string, signal?: AbortSignal): Promise<CommitFacts> {
    await this.#ensure(commit, signal);
    const format = '--format=%H%x00%s%x00%an <%ae>%x00%cI';
    const args = ['show', '--no-patch', '--no-show-signature', format, '--end-of-options', commit];
    const { stdout } = await this.#git(args, `reading commit ${commit}`, signal);
    const [found = '', title = '', author = '', committedAt = ''] = stdout.trimEnd().split('\0');
    return { commit: found, title, author, committedAt };
  }

  /** Whether the first commit is an ancestor of the second, or the same. */
  async isAncestor(older: string, newer: string, signal?: AbortSignal): Promise<boolean> {
    // A commit that the branch left behind may be gone from the forge: then it is nobody's ancestor,
    // and descends from nobody.
    if (!(await this.#reaches(newer, signal))) return false;
    if (!(await this.#has(older, signal))) return false;
    const result = await this.#raw(['merge-base', '--is-ancestor', older, newer], signal);
    if (result.exitCode === 0) return true;
    if (result.exitCode === 1) return false;
    throw gitError(`comparing ${older} with ${newer}`, result.stderr);
  }

  /**
   * Writes the commit's files into an existing folder, as a checkout would: no history, no links.
   * Throws `repository-refused` for a tree that is not accepted.
   */
  async checkout(commit: string, folder: string, signal?: AbortSignal): Promise<void> {
    await this.checkTree(commit, signal);
    const index = join(this.#access.folder, `index-${randomUUID()}`);
    const environment = { GIT_INDEX_FILE: index };
    const doing = `checking out ${commit}`;
    try {
      await this.#git(['read-tree', '--end-of-options', commit], doing, signal, environment);
      const write = [`--work-tree=${folder}`, 'checkout-index', '--all', '--force'];
      await this.#git(write, doing, signal, environment);
    } finally {
      await Promise.all([index, `${index}.lock`].map((file) => rm(file, { force: true })));
    }
  }

  /** Throws `repository-refused` when the commit's tree is not accepted. */
  async checkTree(commit: string, signal?: AbortSignal): Promise<void> {
    if (this.#accepted.has(commit)) return;
    await this.#ensure(commit, signal);
    const args = ['ls-tree', '-r', '-z', '-l', '--full-tree', '--end-of-options', commit];
    checkTree((await this.#git(args, `listing ${commit}`, signal)).stdout);
    this.#accepted.set(commit, true);
  }

  async #reaches(commit: string, signal?: AbortSignal): Promise<boolean> {
    try {
      await this.#ensure(commit, signal);
      return true;
    } catch (error) {
      if (error instanceof SlipwayError && error.code === 'commit-missing') return false;
      throw error;
    }
  }

  async #ensure(commit: string, signal?: AbortSignal): Promise<void> {
    if (!COMMIT.test(commit)) {
      throw new SlipwayError(
        'commit-missing',
        `"${commit}" is no commit: a commit is named by its 40 hexadecimal digits.`,
      );
    }
    if (this.#opened && (await this.#has(commit, signal))) return;
    await this.#alone(async () => {
      await this.#open(signal);
      if (await this.#has(commit, signal)) return;
      await this.#fetch(`+refs/heads/${this.#branch}:refs/slipway/branch`, signal);
      if (await this.#has(commit, signal)) return;
      // The branch may have been rewritten or deleted since; the forge often still has the commit.
      await this.#fetch(`+${commit}:refs/slipway/${commit}`, signal);
      if (await this.#has(commit, signal)) return;
      throw new SlipwayError(
        'commit-missing',
        `The repository does not have commit ${commit} on branch ${this.#branch}.`,
      );
    });
  }

  /** Fetches what a refspec names; that the repository does not have it is no error here. */
  async #fetch(refspec: string, signal?: AbortSignal): Promise<void> {
    const options = ['--no-tags', '--no-recurse-submodules', '--no-write-fetch-head', '--quiet'];
    const args = ['fetch', ...options, '--end-of-options', this.#access.url, refspec];
    try {
      await this.#git(args, 'fetching the repository', signal);
    } catch (error) {
      // A git that was killed left its lock files, on which the next one would fail.
      this.#opened = false;
      if (!(error instanceof SlipwayError && error.code === 'commit-missing')) throw error;
    }
  }

  async #has(commit: string, signal?: AbortSignal): Promise<boolean> {
    const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${commit}^{commit}`];
    const { exitCode, stdout } = await this.#raw(args, signal);
    return exitCode === 0 && stdout.trim() === commit;
  }

  async #open(signal?: AbortSignal): Promise<void> {
    if (this.#opened) return;
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    await writeAskpass(this.#access);
    await sweepLocks(this.#dir);
    await this.#git(['init', '--bare', '--quiet'], 'making the mirror', signal);
    this.#opened = true;
  }

  /** One after the other: two fetches into one mirror would wait on the same lock files and fail. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#queue.then(work);
    this.#queue = mine.catch(() => undefined);
    return mine;
  }

  async #git(
    args: readonly string[],
    doing: string,
    signal?: AbortSignal,
    environment: Record<string, string> = {},
  ): Promise<RunResult> {
    const result = await this.#raw(args, signal, environment);
    if (result.exitCode !== 0) {
      throw gitError(doing, result.timedOut ? 'git took too long' : result.stderr);
    }
    return result;
  }

  async #raw(
    args: readonly string[],
    signal?: AbortSignal,
    environment: Record<string, string> = {},
  ): Promise<RunResult> {
    return run('git', [...CONFIG_ARGS, `--git-dir=${this.#dir}`, ...args], {
      env: { ...gitEnvironment(this.#access), ...environment },
      timeoutMs: 5 * 60_000,
      ladder: LADDER,
      ...(signal ? { signal } : {}),
    });
  }
}

/** A git that was killed leaves its lock files behind; nobody else uses this mirror. */
async function sweepLocks(dir: string): Promise<void> {
  const entries = await readdir(dir, { recursive: true });
  const stale = entries.filter(
    (name) => name.endsWith('.lock') || /tmp_(pack|idx|rev|obj)_/.test(name),
  );
  await Promise.all(stale.map((name) => rm(join(dir, name), { force: true })));
}
