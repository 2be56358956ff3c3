import { folderOf, joinPath } from '../gate/paths.ts';

/** A place in a file, as far as helmfile and Go's templates tell it. */
export interface Place {
  /** From the root of the repository. */
  file: string;
  line?: number;
}

/**
 * The helmfile that helmfile was at when it failed, from the root of the repository: it names each
 * included one as seen from the one that includes it.
 */
export function helmfileAt(text: string): string | undefined {
  const chain = /(?:^|\s)((?:in \S+: )+)/.exec(text)?.[1] ?? '';
  const names = [...chain.matchAll(/in (\S+): /g)].map(([, name = '']) => name);
  return names
    .filter((name) => !name.startsWith('.helmfiles['))
    .reduce<string | undefined>(
      (at, name) => joinPath(at === undefined ? '' : folderOf(at), name) ?? name,
      undefined,
    );
}

/** A file as helmfile names it, seen from the folder of the helmfile that it was at. */
export function besideHelmfile(text: string, path: string): string {
  return joinPath(folderOf(helmfileAt(text) ?? ''), path) ?? path;
}

/** The template of helmfile that failed: a values file, or a helmfile itself. */
export function helmfileTemplate(text: string): Place | undefined {
  const values =
    /failed to render values files "([^"]+)"/.exec(text)?.[1] ??
    /failed to load environment values file "([^"]+)": failed to render/.exec(text)?.[1];
  const state = /error during (\S+?)(?:\.part\.\d+)? parsing/.exec(text)?.[1];
  const line = /template: (?:stringTemplate|\S+?):(\d+)/.exec(text)?.[1];
  const file =
    values === undefined ? state && (helmfileAt(text) ?? state) : besideHelmfile(text, values);
  return file === undefined
    ? undefined
    : { file, ...(line === undefined ? {} : { line: Number(line) }) };
}

export function placeInWords({ file, line }: Place): string {
  return line === undefined ? file : `${file}:${line}`;
}
