import { judgeArgument } from './arguments.ts';
import { folderOf, isRemote, pathInTree } from './paths.ts';
import { refusedReferences, withoutComments } from './references.ts';
import type { ChartDependency } from '../plan/chart-dependencies.ts';
import type { Refusal } from './refusal.ts';

/** One evaluated helmfile. */
export interface StateDocument {
  /** Path of the helmfile in the tree. */
  source: string;
  /** What it says, as parsed YAML. */
  state: unknown;
}

/** The files of the commit. */
export interface Tree {
  /** Absolute folder where it is checked out. */
  root: string;
  /** The text of a file; undefined when there is none. */
  read: (path: string) => string | undefined;
  /** The files that a path or a pattern names. */
  expand: (pattern: string) => readonly string[];
  /** What Helm would fetch for the chart in a folder; none where nothing is missing, or there is no chart. */
  fetched: (folder: string) => readonly ChartDependency[];
}

export interface GateOptions {
  /** The helmfile environment. */
  environment: string;
  namespace: string;
  /** The one context that helmfile is told to use. */
  kubeContext: string;
  /** The programs that Slipway itself hands to helmfile. */
  binaries: readonly string[];
  /** The environment's `allow`. */
  allow: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

/** A map of the evaluated state; undefined for anything else. */
export function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : undefined;
}

/** Gathers what is refused of one helmfile; knows where in it the words stand. */
export class Findings {
  readonly refusals: Refusal[];
  readonly #source: string;
  readonly #tree: Tree;
  readonly #options: GateOptions;
  readonly #service: string | undefined;

  constructor(
    source: string,
    tree: Tree,
    options: GateOptions,
    service?: string,
    refusals: Refusal[] = [],
  ) {
    this.#source = source;
    this.#tree = tree;
    this.#options = options;
    this.#service = service;
    this.refusals = refusals;
  }

  /** The same helmfile, about one service of it. */
  of(service: string): Findings {
    return new Findings(this.#source, this.#tree, this.#options, service, this.refusals);
  }

  /** Refuses a key, unless the environment allows it. */
  refuse(key: string, why: string, allow?: string): void {
    if (allow !== undefined && this.#options.allow.includes(allow)) return;
    const permit = allow === undefined ? {} : { allow };
    this.refusals.push({ ...this.#where(), key, why, ...permit });
  }

  /** A list of the state; one that is none is refused, because nobody knows what it does. */
  list(fields: Fields, key: string): readonly unknown[] {
    const value = fields[key];
    if (value === undefined || value === null) return [];
    if (Array.isArray(value)) return value;
    this.refuse(key, 'cannot be read');
    return [];
  }

  /** Hooks, post-renderers, arguments and other ways to run commands. */
  commands(fields: Fields, at: string): void {
    if (this.list(fields, 'hooks').length > 0) this.refuse(`${at}hooks`, 'runs commands', 'hooks');
    for (const key of Object.keys(fields).filter((name) => name.startsWith('postRenderer'))) {
      this.refuse(at + key, 'runs a command', 'postRenderer');
    }
    for (const key of ['args', 'diffArgs', 'syncArgs', 'templateArgs']) {
      for (const argument of this.list(fields, key)) this.#argument(String(argument), at + key);
    }
    if (fields['trackMode'] === 'kubedog') {
      this.refuse(`${at}trackMode`, 'waits by kubedog', 'kubedog');
    }
    for (const key of ['skipTLSVerify', 'insecureSkipTLSVerify']) {
      if (fields[key] === true) this.refuse(at + key, 'trusts any server', 'skipTLS');
    }
  }

  /** The cluster and the namespace, which are the environment's and no other. */
  place(fields: Fields, at: string): void {
    const { kubeContext, namespace } = this.#options;
    const { kubeContext: context } = fields;
    if (context !== undefined && context !== '' && context !== kubeContext) {
      this.refuse(`${at}kubeContext`, 'chooses another cluster than the environment’s');
    }
    for (const key of ['namespace', 'forceNamespace']) {
      const value = fields[key];
      if (value === undefined || value === '' || value === namespace) continue;
      const why = `is ${JSON.stringify(value)}, but the environment’s is ${JSON.stringify(namespace)}`;
      this.refuse(at + key, why);
    }
  }

  isBinary(value: unknown): boolean {
    const { binaries } = this.#options;
    return value === undefined || (typeof value === 'string' && binaries.includes(value));
  }

  /** Entries of a list that are files; those that are maps are inline. */
  files(fields: Fields, key: string, at: string): void {
    for (const [index, entry] of this.list(fields, key).entries()) {
      if (fieldsOf(entry) === undefined) this.file(entry, `${at}${key}[${index}]`);
    }
  }

  /** Files of a `secrets` list. */
  secrets(fields: Fields, at: string): void {
    if (this.list(fields, 'secrets').length > 0) {
      this.refuse(`${at}secrets`, 'is decrypted by a plugin of helm', 'secrets');
    }
    this.files(fields, 'secrets', at);
  }

  /** A file of the tree, also for what it refers to. */
  file(value: unknown, key: string): void {
    // A reference in place of a path is judged as a reference.
    if (typeof value === 'string' && /^(secret)?ref\+/.test(value)) return;
    if (typeof value !== 'string' || value === '') {
      this.refuse(key, 'cannot be read');
      return;
    }
    if (/^file:/i.test(value)) this.refuse(key, 'leaves the repository');
    else if (isRemote(value)) this.refuse(key, 'is fetched from elsewhere', 'remote');
    else {
      const path = this.inside(value, key);
      for (const file of path === undefined ? [] : this.#tree.expand(path)) {
        this.#textOf(file, `${key} (${file})`);
      }
    }
  }

  /** The path in the tree; one that leaves it is refused. */
  inside(text: string, key: string): string | undefined {
    const path = pathInTree(this.#tree.root, folderOf(this.#source), text);
    if (path === undefined) this.refuse(key, `leaves the repository: ${JSON.stringify(text)}`);
    return path;
  }

  /** What Helm fetches for a chart, if it is one of the tree. */
  fetchedBy(chart: string): { folder: string; dependencies: readonly ChartDependency[] } {
    const folder = pathInTree(this.#tree.root, folderOf(this.#source), chart);
    if (folder === undefined) return { folder: '', dependencies: [] };
    return { folder, dependencies: this.#tree.fetched(folder) };
  }

  /** Whether a path leads from a folder of the tree to another place in it. */
  isInside(folder: string, text: string): boolean {
    return pathInTree(this.#tree.root, folder, text) !== undefined;
  }

  /** References in the evaluated values below a key. */
  references(value: unknown, key: string): void {
    if (typeof value === 'string') {
      const place = { ...this.#where(), key };
      this.refusals.push(...refusedReferences(value, place, this.#options.allow));
    } else if (Array.isArray(value)) {
      for (const [index, entry] of value.entries()) this.references(entry, `${key}[${index}]`);
    } else {
      for (const [name, entry] of Object.entries(fieldsOf(value) ?? {})) {
        this.references(entry, key === '' || key.endsWith('.') ? key + name : `${key}.${name}`);
      }
    }
  }

  /** The helmfile itself: a template may resolve a reference and leave no trace of it. */
  sourceOf(path: string): void {
    this.#textOf(path, 'its text');
  }

  #textOf(path: string, key: string): void {
    const text = this.#tree.read(path);
    if (text === undefined) return;
    const place = { ...this.#where(), key };
    this.refusals.push(...refusedReferences(withoutComments(text), place, this.#options.allow));
  }

  #argument(argument: string, key: string): void {
    const judged = judgeArgument(argument);
    if (judged === 'harmless') return;
    // Only the name: what follows may be a secret.
    const name = argument.split(/[=\s]/)[0] ?? '';
    this.refuse(key, `passes ${name} to helm`, judged === 'never' ? undefined : judged);
  }

  #where(): Pick<Refusal, 'file' | 'service'> {
    return {
      file: this.#source,
      ...(this.#service === undefined ? {} : { service: this.#service }),
    };
  }
}
