import { posix } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { readRelease, valuesFolder, type BuildDocument } from './build-output.ts';
import type { InputFiles } from './input-files.ts';

/** Shorter values cannot be told from ordinary text. */
const HIDDEN_MIN = 8;

/** Paths of the files that `secrets:` of an environment and of its services name, each once. */
export async function secretFiles(
  documents: readonly BuildDocument[],
  environment: string,
  files: InputFiles,
): Promise<string[]> {
  const named = documents.flatMap(({ source, sections, releases }) => {
    const folder = posix.dirname(source);
    const ofServices = [...releases.values()].map((text) => {
      const entry = readRelease(text);
      return { from: valuesFolder(entry, folder), list: entry.fields['secrets'] };
    });
    const list = environmentSecrets(sections.get('environments') ?? '', environment);
    return [{ from: folder, list }, ...ofServices].flatMap((one) =>
      Array.isArray(one.list)
        ? one.list
            .filter((name) => typeof name === 'string')
            .map((name) => [one.from, name] as const)
        : [],
    );
  });
  const found = await Promise.all(named.map(([from, name]) => files.named(from, name)));
  const paths = found
    .flatMap((matches) => matches ?? [])
    .filter(({ sha256 }) => sha256 !== 'missing');
  return [...new Set(paths.map(({ path }) => path))];
}

function environmentSecrets(section: string, environment: string): unknown {
  const parsed = parse(section) as Environments | null;
  return parsed?.environments?.[environment]?.secrets;
}

interface Environments {
  environments?: Record<string, { secrets?: unknown } | null> | null;
}

/** The values in a decrypted file that are to be hidden wherever they are shown. */
export function secretValues(text: string): string[] {
  const values = parseAllDocuments(text).flatMap((document) => scalarsOf(document.toJS()));
  return [...new Set(values)].filter((value) => value.length >= HIDDEN_MIN);
}

function scalarsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number' || typeof value === 'bigint') return [String(value)];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(scalarsOf);
}
