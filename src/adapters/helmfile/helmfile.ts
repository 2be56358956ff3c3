import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SlipwayError } from '../../domain/errors.ts';
import { run, type RunOptions, type RunResult } from '../process/run.ts';
import { helmfileError } from './classify.ts';
import { childEnvironment } from './environment.ts';
import type { Workspace } from './workspace.ts';

/** One entry of `helmfile list --output json`. */
export interface ListedRelease {
  name: string;
  namespace: string;
  enabled: boolean;
  installed: boolean;
  chart: string;
  version: string;
}

export interface HelmfileRun {
  workspace: Workspace;
  /** The helmfile environment. */
  environment: string;
  namespace: string;
  kubeContext: string;
  variables: Readonly<Record<string, string>>;
  /** `<deployment>/<attempt>`. */
  attempt: string;
  signal?: AbortSignal;
  /** Removes secrets from text before anything else sees it. */
  redact: (text: string) => string;
}

const FILES = ['helmfile.yaml.gotmpl', 'helmfile.yaml', 'helmfile.d'];
const TAIL_BYTES = 256 * 1024;

/** Runs helmfile and helm on a checked-out commit, exactly as a person would. */
export class Helmfile {
  readonly #run: HelmfileRun;

  constructor(options: HelmfileRun) {
    this.#run = options;
  }

  /** Adds the commit's chart repositories and refreshes their indexes. */
  async repos(): Promise<void> {
    await this.#helmfile('reading the chart repositories', ['repos']);
  }

  /** The whole evaluated input of the environment. Holds secrets: only keyed digests may leave. */
  async build(): Promise<string> {
    const result = await this.#helmfile('evaluating the helmfile', ['build', '--embed-values'], {
      outputBytesMax: 64 * 1024 * 1024,
    });
    // The folder of this attempt is no input: the same commit must read the same in the next one.
    return result.stdout.replaceAll(this.#run.workspace.root, '');
  }

  /** The releases that the commit declares for the environment. */
  async list(): Promise<ListedRelease[]> {
    const args = ['list', '--skip-charts', '--output', 'json'];
    const { stdout } = await this.#helmfile('listing the services', args);
    return JSON.parse(stdout === '' ? '[]' : stdout) as ListedRelease[];
  }

  /** The exact version that helm takes for a range, from the refreshed index of a repository. */
  async resolveChart(chart: string, range: string): Promise<string | undefined> {
    const version = range === '' ? [] : ['--version', range];
    const args = ['search', 'repo', chart, ...version, '--output', 'json'];
    const result = await this.#child(join(this.#run.workspace.bin, 'helm'), args, {});
    if (result.exitCode !== 0) throw this.#error(`resolving the chart ${chart}`, result);
    const found = JSON.parse(result.stdout) as { name: string; version: string }[];
    return found.find(({ name }) => name === chart)?.version;
  }

  /** `helmfile sync` of the whole environment; the repository's own wait and history settings stand. */
  async sync(options: {
    labels: Readonly<Record<string, string>>;
    description: string;
    /** Whether what exists is applied by the server: a Helm release keeps its method. */
    serverSide: boolean;
    onLine: (line: string) => void;
  }): Promise<void> {
    const labels = Object.entries(options.labels).map(([name, value]) => `${name}=${value}`);
    const args = [
      ...['sync', '--skip-deps', '--concurrency', '4', '--description', options.description],
      ...['--sync-args', `--labels=${labels.join(',')}`],
      // Helm 4's server-side default for new installs fights with downscalers and autoscalers.
      ...['--server-side', options.serverSide ? 'auto' : 'false'],
    ];
    const onLine = (line: string) => {
      options.onLine(this.#run.redact(line));
    };
    await this.#helmfile('applying', args, { keepTailBytes: TAIL_BYTES, onLine }, 'info');
  }

  async #helmfile(
    doing: string,
    command: readonly string[],
    options: Partial<RunOptions> = {},
    logLevel: 'warn' | 'info' = 'warn',
  ): Promise<RunResult> {
    const { workspace, environment, namespace, kubeContext } = this.#run;
    const file = FILES.find((name) => existsSync(join(workspace.tree, name)));
    if (!file) {
      throw new SlipwayError(
        'template-error',
        `${doing}: the repository has none of ${FILES.join(', ')} at its root`,
      );
    }
    const args = [
      ...['--helm-binary', join(workspace.bin, 'helm'), '--file', file],
      ...['--environment', environment, '--namespace', namespace, '--kube-context', kubeContext],
      ...['--no-color', '--log-level', logLevel, '--disable-force-update'],
    ];
    const program = join(workspace.bin, 'helmfile');
    const result = await this.#child(program, [...args, ...command], options);
    if (result.exitCode !== 0) throw this.#error(doing, result);
    return result;
  }

  #child(program: string, args: readonly string[], options: Partial<RunOptions>) {
    const { workspace, variables, attempt, signal } = this.#run;
    return run(program, args, {
      env: childEnvironment(workspace, variables, attempt),
      cwd: workspace.tree,
      ...(signal ? { signal } : {}),
      ...options,
    });
  }

  #error(doing: string, result: RunResult): SlipwayError {
    return helmfileError(doing, this.#run.redact(result.stderr.slice(-TAIL_BYTES)));
  }
}
