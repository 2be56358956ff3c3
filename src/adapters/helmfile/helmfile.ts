import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { observedOnly, SlipwayError } from '../../domain/errors.ts';
import type { GrowingRedactor } from '../../domain/redact/growing.ts';
import { run, type RunOptions, type RunResult } from '../process/run.ts';
import { cutBuild, type BuildDocument } from './build-output.ts';
import { chartFetches } from './chart-fetches.ts';
import { helmfileError } from './classify.ts';
import { readEnvironment, type DeclaredInput } from './environment-inputs.ts';
import { childEnvironment } from './environment.ts';
import type { Evaluations } from './evaluations.ts';
import { withFileLines } from './file-lines.ts';
import { gate } from './gate.ts';
import { secretFiles, secretValues } from './secret-files.ts';
import { InputFiles } from './input-files.ts';
import { evaluatedServices, evaluatedText } from './service-inputs.ts';
import { readTreeFacts, type TreeFacts } from './tree-facts.ts';
import { namedValuesFault } from './values-fault.ts';
import type { Workspace } from './workspace.ts';

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
  /** Removes secrets from text before anything else sees it; learns what `secrets:` files hold. */
  redactor: GrowingRedactor;
  /** Of this worker. */
  evaluations: Evaluations;
  /** The environment is observed only: what would write into the cluster is refused. */
  readOnly?: boolean;
}

/** Where helmfile begins: the first of them that is there. */
export const HELMFILES = ['helmfile.yaml.gotmpl', 'helmfile.yaml', 'helmfile.d'];
const TAIL_BYTES = 256 * 1024;
/** What is wrong is named first, and the text that follows may be of any length. */
const ENDS = { keepHeadBytes: 16 * 1024, keepTailBytes: TAIL_BYTES };

interface HelmfileScope {
  /** Only these services; none means all. */
  names?: readonly string[];
  logLevel?: 'warn' | 'info';
}

/** Runs helmfile and helm on a checked-out commit, exactly as a person would. */
export class Helmfile {
  readonly #run: HelmfileRun;
  /** One commit has one state: it is evaluated and checked once. */
  #plain: Promise<string> | undefined;
  #facts: Promise<TreeFacts> | undefined;

  constructor(options: HelmfileRun) {
    this.#run = options;
  }

  /** Every service that the commit declares for the environment. Holds secrets: only digests may leave. */
  declared(): Promise<DeclaredInput[]> {
    const { workspace, variables, signal } = this.#run;
    return readEnvironment({
      variables,
      tree: workspace.tree,
      helmHome: workspace.helmHome,
      build: (options) => this.#build(options),
      enabled: () => this.#enabled(),
      repos: () => this.refreshCharts(),
      ...(signal ? { signal } : {}),
    });
  }

  /**
   * The evaluated input of each service, read once more: what differs now was never the same twice.
   * Undefined where the commit is sure to give the same.
   */
  async evaluatedAgain(): Promise<ReadonlyMap<string, string> | undefined> {
    return (await this.#evaluatesAlike()) ? undefined : this.#evaluated();
  }

  /** The helmfiles as they are evaluated, once they have passed the gate; values files by name only. */
  async state(): Promise<BuildDocument[]> {
    return cutBuild(await this.#plainBuild());
  }

  /** Adds the chart repositories and refreshes their indexes. */
  refreshCharts(): Promise<void> {
    return this.#repos();
  }

  /** Evaluates everything, twice where need be; names the services that were not the same both times. */
  async unstable(): Promise<Set<string>> {
    const first = await this.#evaluated();
    const again = (await this.evaluatedAgain()) ?? first;
    return new Set([...first.keys()].filter((name) => first.get(name) !== again.get(name)));
  }

  /**
   * The manifests of these services as the commit renders them, hooks included, tests not. The cluster
   * takes part, for what charts look up in it. Holds secrets.
   */
  async render(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (names.length === 0) return new Map();
    const folder = join(this.#run.workspace.root, 'rendered');
    await rm(folder, { recursive: true, force: true });
    const args = [
      ...['template', '--skip-deps', '--skip-tests', '--concurrency', '4'],
      ...['--template-args=--dry-run=server', '--output-dir', folder],
      ...['--output-dir-template', '{{ .OutputDir }}/{{ .Release.Name }}'],
    ];
    const doing = 'rendering the manifests';
    await this.#fetchDependencies(names);
    await this.#helmfile(doing, args, ENDS, { names });
    const rendered = names.map(
      async (name) => [name, await readFolder(join(folder, name))] as const,
    );
    return new Map(await Promise.all(rendered));
  }

  /**
   * Names of services that helmfile would apply with these though nobody selects them: those of helmfiles
   * that are included with selectors of their own, which take the place of ours.
   */
  async alsoApplied(names: readonly string[]): Promise<string[]> {
    const documents = cutBuild(await this.#build({ embedValues: false }));
    const includes = documents.map(({ sections }) => sections.get('helmfiles') ?? '');
    if (!includes.some((section) => /^ +selectors:/m.test(section))) return [];
    const selected = await this.#enabled(names);
    return [...selected].filter((name) => !names.includes(name));
  }

  /** `helmfile sync` of these services only; the repository's own wait and history settings stand. */
  async sync(options: {
    names: readonly string[];
    labels: Readonly<Record<string, string>>;
    description: string;
    /** Whether what exists is applied by the server: a Helm release keeps its method. */
    serverSide: boolean;
    onLine: (line: string) => void;
  }): Promise<void> {
    this.#mustWrite();
    const labels = Object.entries(options.labels).map(([name, value]) => `${name}=${value}`);
    const args = [
      ...['sync', '--skip-deps', '--concurrency', '4', '--description', options.description],
      ...['--sync-args', `--labels=${labels.join(',')}`],
      // Helm 4's server-side default for new installs fights with downscalers and autoscalers.
      ...['--server-side', options.serverSide ? 'auto' : 'false'],
    ];
    const onLine = (line: string) => {
      options.onLine(this.#run.redactor.text(line));
    };
    const { names } = options;
    const output = { ...ENDS, onLine };
    await this.#fetchDependencies(names);
    await this.#helmfile('applying', args, output, { names, logLevel: 'info' });
  }

  /** Returns a service to an earlier revision and waits until it is ready. */
  async rollback(
    name: string,
    revision: number,
    description: string,
    onLine: (line: string) => void,
  ): Promise<void> {
    this.#mustWrite();
    const { workspace, namespace, kubeContext } = this.#run;
    const args = [
      ...['rollback', name, String(revision), '--namespace', namespace],
      ...['--kube-context', kubeContext, '--wait', '--timeout', '10m'],
      ...['--description', description],
    ];
    const result = await this.#child(join(workspace.bin, 'helm'), args, { ...ENDS, onLine });
    if (result.exitCode !== 0) throw this.#error(`rolling ${name} back to ${revision}`, result);
  }

  /** Uninstalls what the commit no longer declares, so that helmfile does not know it. */
  async uninstall(name: string, onLine: (line: string) => void): Promise<void> {
    this.#mustWrite();
    const { workspace, namespace, kubeContext } = this.#run;
    const args = ['uninstall', name, '--namespace', namespace, '--kube-context', kubeContext];
    const result = await this.#child(join(workspace.bin, 'helm'), [...args, '--wait'], {
      ...ENDS,
      onLine,
    });
    if (result.exitCode !== 0) throw this.#error(`uninstalling ${name}`, result);
  }

  #mustWrite(): void {
    if (this.#run.readOnly) throw observedOnly(this.#run.environment);
  }

  async #evaluated(): Promise<ReadonlyMap<string, string>> {
    const services = evaluatedServices(cutBuild(await this.#build({ embedValues: true })));
    return new Map([...services].map(([name, service]) => [name, evaluatedText(service)]));
  }

  async #build({ embedValues }: { embedValues: boolean }): Promise<string> {
    if (!embedValues) return this.#plainBuild();
    // References in values files are resolved here, so the gate sees them first. Where there are none
    // to see, it works beside, and nothing of the result is used before it has answered.
    if ((await this.#treeFacts()).holdsReferences) await this.#plainBuild();
    const [plain, embedded] = await Promise.allSettled([
      this.#plainBuild(),
      this.#evaluate(['build', '--embed-values'], (output) => this.#withoutFolders(output)),
    ]);
    if (plain.status === 'rejected') throw plain.reason;
    if (embedded.status === 'rejected') {
      const files = new InputFiles(this.#run.workspace.tree);
      throw await namedValuesFault(embedded.reason, cutBuild(plain.value), files);
    }
    return embedded.value;
  }

  /** The state without the content of values files, once it has passed the gate. */
  #plainBuild(): Promise<string> {
    this.#plain ??= this.#evaluate(['build'], async (output) => {
      const { workspace, environment, namespace, kubeContext } = this.#run;
      await gate(output, workspace, { environment, namespace, kubeContext });
      const plain = await this.#withoutFolders(output);
      await this.#learnSecrets(cutBuild(plain));
      return plain;
    });
    return this.#plain;
  }

  async #learnSecrets(documents: readonly BuildDocument[]): Promise<void> {
    const { workspace, environment, redactor } = this.#run;
    const { secretsPlugin, tree, bin } = workspace;
    if (!secretsPlugin) return;
    for (const file of await secretFiles(documents, environment, new InputFiles(tree))) {
      const args = ['secrets', secretsPlugin.command, file];
      const result = await this.#child(join(bin, 'helm'), args, {});
      if (result.exitCode !== 0) throw this.#error(`decrypting ${file}`, result);
      redactor.learn(secretValues(result.stdout));
    }
  }

  /** What is made of helmfile's output, from memory where this very input gave it before. */
  async #evaluate(
    args: readonly string[],
    read: (output: string) => Promise<string>,
  ): Promise<string> {
    const evaluate = async () => {
      const options = { outputBytesMax: 64 * 1024 * 1024 };
      return read((await this.#helmfile('evaluating the helmfile', args, options)).stdout);
    };
    if (!(await this.#evaluatesAlike())) return evaluate();
    const { environment, namespace, kubeContext, variables, evaluations } = this.#run;
    const { digest } = await this.#treeFacts();
    const input = [digest, environment, namespace, kubeContext, Object.entries(variables), args];
    const key = createHash('sha256').update(JSON.stringify(input)).digest('hex');
    return evaluations.remember(key, evaluate);
  }

  async #evaluatesAlike(): Promise<boolean> {
    // What is allowed may read anything.
    if (this.#run.workspace.allow.length > 0) return false;
    return (await this.#treeFacts()).evaluatesAlike;
  }

  #treeFacts(): Promise<TreeFacts> {
    this.#facts ??= readTreeFacts(this.#run.workspace.tree);
    return this.#facts;
  }

  /** The folder of this attempt is no input: the same commit must read the same in the next one. */
  async #withoutFolders(output: string): Promise<string> {
    const { tree, root } = this.#run.workspace;
    return output.replaceAll(await realpath(tree), '').replaceAll(await realpath(root), '');
  }

  async #enabled(names: readonly string[] = []): Promise<ReadonlySet<string>> {
    const args = ['list', '--skip-charts', '--output', 'json'];
    const { stdout } = await this.#helmfile('listing the services', args, {}, { names });
    const listed = JSON.parse(stdout === '' ? '[]' : stdout) as {
      name: string;
      enabled: boolean;
    }[];
    return new Set(listed.filter(({ enabled }) => enabled).map(({ name }) => name));
  }

  /** What helmfile would do before it renders, for all charts, and with a refresh of every index. */
  async #fetchDependencies(names: readonly string[]): Promise<void> {
    const { workspace } = this.#run;
    for (const args of chartFetches(await this.state(), workspace.tree, names)) {
      const result = await this.#child(join(workspace.bin, 'helm'), args, ENDS);
      if (result.exitCode !== 0) throw this.#error('fetching what a chart depends on', result);
    }
  }

  async #repos(): Promise<void> {
    await this.#helmfile('reading the chart repositories', ['repos']);
  }

  async #helmfile(
    doing: string,
    command: readonly string[],
    options: Partial<RunOptions> = {},
    { names = [], logLevel = 'warn' }: HelmfileScope = {},
  ): Promise<RunResult> {
    const { workspace, environment, namespace, kubeContext } = this.#run;
    const file = HELMFILES.find((name) => existsSync(join(workspace.tree, name)));
    if (!file) {
      throw new SlipwayError(
        'template-error',
        `${doing}: the repository has none of ${HELMFILES.join(', ')} at its root`,
      );
    }
    const args = [
      ...['--helm-binary', join(workspace.bin, 'helm'), '--file', file],
      ...['--environment', environment, '--namespace', namespace, '--kube-context', kubeContext],
      ...['--no-color', '--log-level', logLevel],
      // Adding a repository that Helm knows already refreshes its index only when forced.
      ...(command[0] === 'repos' ? [] : ['--disable-force-update']),
      ...names.flatMap((name) => ['--selector', `name=${name}`]),
    ];
    const program = join(workspace.bin, 'helmfile');
    const result = await this.#child(program, [...args, ...command], options);
    if (result.exitCode !== 0 && !declaresNothing(result)) throw this.#error(doing, result);
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
    const said = withFileLines(
      this.#run.redactor.text(ends(result.stderr)),
      this.#run.workspace.tree,
    );
    return helmfileError(doing, said);
  }
}

/** Helmfile knows the environment, which it has printed, and no release is declared in it. */
function declaresNothing({ exitCode, stdout, stderr }: RunResult): boolean {
  return (
    exitCode === 3 &&
    /no releases found that matches/.test(stderr) &&
    /^environments:/m.test(stdout)
  );
}

function ends(text: string): string {
  const { keepHeadBytes: head, keepTailBytes: tail } = ENDS;
  return text.length > head + tail ? `${text.slice(0, head)}\n${text.slice(-tail)}` : text;
}

/** All files of a folder, one after the other; nothing where helm wrote none. */
async function readFolder(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort();
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
  return texts.join('\n');
}
