import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { run } from '../../src/adapters/process/run.ts';
import { chartVariables, signIn } from './chart-server.ts';
import { ENVIRONMENT, type State } from './repository.ts';
import { writeFiles } from '../support/write-files.ts';

/** What each service would run, in a form that is equal exactly where Kubernetes would see no difference. */
export type Rendering = ReadonlyMap<string, string>;

export interface RenderingPlace {
  folder: string;
  tools: { helm: string; helmfile: string };
  kubeconfigPath: string;
  chartsUrl: string;
}

/** Most of what one state renders, the state before rendered too. */
const HELM = fileURLToPath(new URL('helm-with-memory.sh', import.meta.url));

/**
 * Renders everything with plain helmfile, as a person would who trusts no planner: the cluster takes part,
 * and nothing is shared with the planner's own code.
 */
export class FullRendering {
  readonly #place: RenderingPlace;
  #served: State['published'] | undefined;

  constructor(place: RenderingPlace) {
    this.#place = place;
  }

  /** Throws where helmfile cannot render the state. */
  async render(state: State): Promise<{ services: Rendering; texts: Rendering }> {
    const tree = join(this.#place.folder, 'tree');
    const output = join(this.#place.folder, 'output');
    await rm(tree, { recursive: true, force: true });
    await rm(output, { recursive: true, force: true });
    await writeFiles(tree, state.files);
    if (this.#served !== state.published) await this.#refresh(state, tree);
    this.#served = state.published;
    const bundle = ['dependency', 'build', join(tree, 'charts/bundle'), '--skip-refresh'];
    await this.#run(state, tree, this.#place.tools.helm, bundle);
    const layout = [
      '--output-dir',
      output,
      '--output-dir-template',
      '{{.OutputDir}}/{{.Release.Name}}',
    ];
    const how = ['--skip-deps', '--skip-tests', '--concurrency', '4'];
    const server = '--template-args=--dry-run=server';
    await this.#helmfile(state, tree, [
      '--disable-force-update',
      'template',
      ...how,
      server,
      ...layout,
    ]);
    const services = new Map<string, string>();
    const texts = new Map<string, string>();
    for (const name of await readdir(output).catch(() => [])) {
      const text = await textsIn(join(output, name));
      texts.set(name, text);
      services.set(name, canonical(text));
    }
    return { services, texts };
  }

  /** Charts from a registry are kept by their version, whose content may be another now. */
  async #refresh(state: State, tree: string): Promise<void> {
    const { folder, chartsUrl } = this.#place;
    await rm(join(folder, '.cache', 'helmfile'), { recursive: true, force: true });
    await signIn(join(folder, '.config', 'helm'), chartsUrl);
    await this.#helmfile(state, tree, ['repos']);
  }

  #helmfile(state: State, tree: string, args: readonly string[]): Promise<void> {
    const { tools } = this.#place;
    const scope = ['--environment', ENVIRONMENT, '--namespace', ENVIRONMENT, '--log-level', 'warn'];
    return this.#run(state, tree, tools.helmfile, ['--helm-binary', HELM, ...scope, ...args]);
  }

  async #run(state: State, tree: string, program: string, args: readonly string[]): Promise<void> {
    const { folder, tools, kubeconfigPath, chartsUrl } = this.#place;
    const memory = join(folder, 'memory');
    await mkdir(memory, { recursive: true });
    const result = await run(program, args, {
      cwd: tree,
      env: {
        ...Object.fromEntries(state.variables),
        PATH: '/usr/bin:/bin',
        HOME: folder,
        HELM: tools.helm,
        MEMORY: memory,
        OUTSIDE: JSON.stringify([...state.published]),
        KUBECONFIG: kubeconfigPath,
        ...chartVariables(chartsUrl),
        HELMFILE_UPGRADE_NOTICE_DISABLED: '1',
      },
    });
    if (result.exitCode !== 0) throw new Error(result.stderr.slice(-2_000));
  }
}

async function textsIn(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort();
  return (await Promise.all(paths.map((path) => readFile(path, 'utf8')))).join('\n---\n');
}

/** The documents as YAML 1.1, which Kubernetes reads, with their keys in order. */
function canonical(text: string): string {
  const documents = parseAllDocuments(text, { version: '1.1', merge: true });
  const contents = ('empty' in documents ? [] : documents).map(
    (document) => document.toJS() as unknown,
  );
  return contents
    .filter((content) => content !== null)
    .map((content) => JSON.stringify(sorted(content)))
    .sort()
    .join('\n');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
