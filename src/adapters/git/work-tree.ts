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
    if (first === undefined) return;
    const message = `${first} has changes that are not committed; commit or stash them first.`;
    throw new Refusal('conflict', message);
  }

  /** Where `origin` is, without a password; undefined when there is none. */
  async origin(): Promise<string | undefined> {
    const { exitCode, stdout } = await this.#run(['remote', 'get-url', 'origin']);
    return exitCode === 0 ? withoutPassword(stdout.trim()) : undefined;
  }

  /** Commits these files and nothing else. */
  async commit(files: readonly string[], message: string): Promise<string> {
    await this.#must(['commit', '--quiet', '--file=-', '--', ...files], 'the commit', message);
    const [commit = ''] = await this.#lines(['rev-parse', 'HEAD']);
    return commit;
  }

  /** Pushes what is checked out to a branch of `origin`, never by force. */
  async push(branch: string): Promise<void> {
    const ref = `refs/heads/${branch}`;
    const { exitCode } = await this.#run(['check-ref-format', ref]);
    if (exitCode !== 0) throw new Refusal('invalid', `"${branch}" is no name of a branch.`);
    await this.#must(['push', '--quiet', 'origin', `HEAD:${ref}`], `the push to ${branch}`);
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
      keepTailBytes: 1024 * 1024,
      ...(input === undefined ? {} : { input }),
    });
  }
}
