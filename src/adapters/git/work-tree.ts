import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Refusal } from '../../domain/errors.ts';
import { run } from '../process/run.ts';
import { ownEnvironment, withoutPassword } from './own-environment.ts';

const TIMEOUT_MS = 120_000;

/** A person's own checkout, with their own configuration and credentials of git. */
export class WorkTree {
  readonly #folder: string;
  readonly #env: Record<string, string>;

  private constructor(folder: string, env: Record<string, string>) {
    this.#folder = folder;
    this.#env = env;
  }

  /** Throws a refusal when the folder is not in a git repository. */
  static async open(folder: string, environment: NodeJS.ProcessEnv): Promise<WorkTree> {
    const tree = new WorkTree(folder, ownEnvironment(environment));
    const { exitCode } = await tree.#run(['rev-parse', '--is-inside-work-tree']);
    if (exitCode !== 0) throw new Refusal('invalid', `${folder} is no git repository.`);
    return tree;
  }

  /** Throws a refusal that names what a commit would take along or lose. */
  async checkClean(files: readonly string[]): Promise<void> {
    const staged = await this.#lines(['diff', '--cached', '--name-only']);
    const changed = await this.#lines(['status', '--porcelain', '--', ...files]);
    const [first] = [...staged, ...changed.map((line) => line.slice(3))];
    if (first !== undefined) throw uncommitted(first);
  }

  /** Throws a refusal when a file that git knows has changes that are not committed. */
  async checkCommitted(): Promise<void> {
    const [first] = await this.#lines(['status', '--porcelain', '--untracked-files=no']);
    if (first !== undefined) throw uncommitted(first.slice(3));
  }

  /** Every file that git knows or does not ignore, as paths within the folder. */
  async files(): Promise<string[]> {
    const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
    const stdout = await this.#must(args, 'git ls-files');
    return [...new Set(stdout.split('\0'))].filter((path) => path !== '');
  }

  /** Where `origin` is, without a password; undefined when there is none. */
  async origin(): Promise<string | undefined> {
    const { exitCode, stdout } = await this.#run(['remote', 'get-url', 'origin']);
    return exitCode === 0 ? stdout.trim().replace(/^(https?:\/\/)[^@/]*@/, '$1') : undefined;
  }

  /** Commits these files and nothing else. */
  async commit(files: readonly string[], message: string): Promise<string> {
    await this.#must(['commit', '--quiet', '--file=-', '--', ...files], 'the commit', message);
    const [commit = ''] = await this.#lines(['rev-parse', 'HEAD']);
    return commit;
  }

  /**
   * Makes a new branch with one more commit, in a checkout of its own: this one stays as it is.
   *
   * @param change changes files of the folder that it gets, and returns their paths
   */
  async commitOnBranch(
    branch: string,
    message: string,
    change: (folder: string) => Promise<readonly string[]>,
  ): Promise<string> {
    await this.#checkBranchName(branch);
    const { exitCode } = await this.#run(['rev-parse', '--verify', `refs/heads/${branch}`]);
    if (exitCode === 0) throw new Refusal('conflict', `There is a branch ${branch} already.`);
    const [prefix = ''] = await this.#lines(['rev-parse', '--show-prefix']);
    const place = await mkdtemp(join(tmpdir(), 'slipway-branch-'));
    try {
      await this.#must(['worktree', 'add', '--quiet', '--detach', place], 'a second checkout');
      const folder = join(place, prefix);
      const tree = new WorkTree(folder, this.#env);
      const files = await change(folder);
      await tree.#must(['add', '--all', '--force', '--', ...files], 'git add');
      const commit = await tree.commit(files, message);
      await this.#must(['branch', branch, commit], `the branch ${branch}`);
      return commit;
    } finally {
      await this.#run(['worktree', 'remove', '--force', place]);
      await rm(place, { recursive: true, force: true });
    }
  }

  /** Pushes what is checked out to a branch of `origin`, never by force. */
  async push(branch: string): Promise<void> {
    await this.#checkBranchName(branch);
    const refspec = `HEAD:refs/heads/${branch}`;
    await this.#must(['push', '--quiet', 'origin', refspec], `the push to ${branch}`);
  }

  async #checkBranchName(branch: string): Promise<void> {
    const { exitCode } = await this.#run(['check-ref-format', '--branch', branch]);
    if (exitCode !== 0) throw new Refusal('invalid', `"${branch}" is no name of a branch.`);
  }

  async #lines(args: readonly string[]): Promise<string[]> {
    const stdout = await this.#must(args, `git ${args[0] ?? ''}`);
    return stdout.split('\n').filter((line) => line !== '');
  }

  async #must(args: readonly string[], what: string, input?: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.#run(args, input);
    if (exitCode === 0) return stdout;
    throw new Refusal('conflict', `git refused ${what}: ${withoutPassword(stderr.trim())}`);
  }

  #run(args: readonly string[], input?: string) {
    return run('git', ['-C', this.#folder, ...args], {
      env: this.#env,
      timeoutMs: TIMEOUT_MS,
      ...(input === undefined ? {} : { input }),
    });
  }
}

function uncommitted(file: string): Refusal {
  const message = `${file} has changes that are not committed; commit or stash them first.`;
  return new Refusal('conflict', message);
}
