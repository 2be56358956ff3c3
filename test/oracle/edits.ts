import type { Random } from './random.ts';
import type { State } from './repository.ts';

/** One change of a state. */
export interface Mutation {
  what: string;
  /** The services that it may concern; two mutations of one state concern different ones. */
  touches: readonly string[] | 'all';
  state: State;
}

export type Mutator = (state: State, random: Random) => Mutation | undefined;

/** The state with the text of one file changed, or without it. */
export function withFile(state: State, path: string, text: string | undefined): State {
  const files = new Map(state.files);
  if (text === undefined) files.delete(path);
  else files.set(path, text);
  return { ...state, files };
}

export function textOf(state: State, path: string): string {
  const text = state.files.get(path);
  if (text === undefined) throw new Error(`there is no ${path}`);
  return text;
}

export function replaced(state: State, path: string, from: string, to: string): State | undefined {
  const text = textOf(state, path);
  const changed = text.replace(from, () => to);
  return changed === text ? undefined : withFile(state, path, changed);
}

interface Line {
  path: string;
  line: string;
  key: string;
  scalar: string;
}

/** Lines `key: scalar` of files, without those that are templates. */
export function scalarLines(state: State, paths: readonly string[]): Line[] {
  return paths.flatMap((path) =>
    textOf(state, path)
      .split('\n')
      .flatMap((line) => {
        const [, key, scalar = ''] = /^ *([\w-]+):(?: (.*))?$/.exec(line) ?? [];
        return key === undefined || line.includes('{{') ? [] : [{ path, line, key, scalar }];
      }),
  );
}

/** The services as the helmfiles list them. */
export interface Release {
  name: string;
  path: string;
  block: string;
}

const BLOCK = /^ {2}- name: (.+)\n(?: {4}.*\n)*/gm;

export function releasesOf(state: State): Release[] {
  return [...state.files].flatMap(([path, text]) => {
    if (!/(^|\/)(helmfile|\d\d-\w+)\.yaml\.gotmpl$/.test(path)) return [];
    const start = text.indexOf('\nreleases:\n');
    return [...text.slice(start).matchAll(BLOCK)].map(([block, name = '']) => ({
      name,
      path,
      block,
    }));
  });
}

export function withBlock(state: State, { path, block }: Release, to: string): State | undefined {
  return replaced(state, path, block, to);
}

/** Files of values that one service alone reads. */
export function valuesFiles(state: State): string[] {
  return [...state.files.keys()].filter((path) => /(^|\/)values\/.*\.yaml/.test(path));
}

/** The services that read a file of a commit. */
export function readersOf(state: State, path: string): readonly string[] | 'all' {
  const chart = /^charts\/(\w+)\//.exec(path)?.[1];
  if (chart !== undefined) {
    const uses = chart === 'plain' ? /charts\/plain|template: own/ : new RegExp(`charts/${chart}`);
    return releasesOf(state).flatMap(({ name, block }) => (uses.test(block) ? [name] : []));
  }
  const name = /values\/(\w+)/.exec(path)?.[1];
  return name === undefined ? 'all' : [name];
}
