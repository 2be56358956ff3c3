import {
  isAlias,
  isMap,
  isScalar,
  LineCounter,
  parse,
  parseDocument,
  Scalar,
  type Alias,
  type Document,
  type Pair,
  type YAMLMap,
} from 'yaml';
import { Refusal } from '../../domain/errors.ts';

/** One version key of a `versions.yaml`, and where its value stands. */
export interface VersionEntry {
  key: string;
  /** As text: `3.10` stays `3.10`, though YAML reads a number. Empty when the key has no value. */
  version: string;
  /** Counted from 1. */
  line: number;
  /** Offsets in the text: what a change replaces. */
  from: number;
  to: number;
  quote: '"' | "'" | '';
  /** An alias of another key's value; a change makes it a value of its own. */
  alias: boolean;
  /** Keys that are aliases of this one, and change with it. */
  followers: string[];
}

const CHARACTERS_MAX = 1024 * 1024;

/**
 * Reads the version keys of a `versions.yaml`: a map under `versions`, or the file's own top level where
 * there is no such map. Throws a refusal with file and line for anything that cannot be changed safely.
 */
export function readVersions(text: string, file: string): VersionEntry[] {
  if (text.length > CHARACTERS_MAX) {
    throw new Refusal('invalid', `${file} is longer than ${CHARACTERS_MAX} characters.`);
  }
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    stringKeys: true,
    merge: true,
  });
  const lineOf = (offset: number) => lineCounter.linePos(offset).line;
  const [error] = document.errors;
  if (error) {
    const [message = ''] = error.message.split('\n');
    throw new Refusal('invalid', `${file}:${lineOf(error.pos[0])} is not valid YAML: ${message}`);
  }
  const map = versionsMap(document, file);
  const anchors = new Map<string, VersionEntry>();
  const entries: VersionEntry[] = [];
  for (const pair of map?.items ?? []) {
    const { key, value } = pair as Pair<Scalar<string>>;
    const line = lineOf(key.range?.[0] ?? 0);
    // A merge brings keys from elsewhere in; they are changed where they stand.
    if (key.value === '<<') continue;
    const where = `${file}:${line}`;
    if (isAlias(value)) {
      entries.push(aliasEntry(key.value, value, line, anchors, where));
      continue;
    }
    if (value !== null && !isScalar(value)) {
      throw new Refusal('invalid', `${where}: ${key.value} is no version but a list or a map.`);
    }
    const entry = scalarEntry(key, value, line, text, where);
    if (value?.anchor !== undefined) anchors.set(value.anchor, entry);
    entries.push(entry);
  }
  return entries;
}

/**
 * The text with versions changed, and no other character. Keys that are not in the file are ignored.
 *
 * @param wanted versions by key
 */
export function withVersions(
  text: string,
  entries: readonly VersionEntry[],
  wanted: ReadonlyMap<string, string>,
): string {
  let changed = text;
  for (const entry of entries.toSorted((a, b) => b.from - a.from)) {
    const version = wanted.get(entry.key);
    if (version === undefined || version === entry.version) continue;
    const written = inQuotes(version, entry.quote);
    // `key:` without a value ends at its colon, and an empty text may touch its anchor.
    const space = entry.from > 0 && /\S/.test(changed[entry.from - 1] ?? '') ? ' ' : '';
    changed = `${changed.slice(0, entry.from)}${space}${written}${changed.slice(entry.to)}`;
  }
  return changed;
}

function versionsMap(document: Document, file: string): YAMLMap | undefined {
  if (document.contents === null) return undefined;
  const top = document.contents;
  if (!isMap(top)) throw new Refusal('invalid', `${file} holds no map of versions.`);
  if (!top.has('versions')) return top;
  const versions = top.get('versions', true) as unknown;
  if (isMap(versions)) return versions;
  if (isScalar(versions) && versions.value === null) return undefined;
  throw new Refusal('invalid', `${file}: \`versions\` is no map.`);
}

function aliasEntry(
  key: string,
  alias: Alias,
  line: number,
  anchors: ReadonlyMap<string, VersionEntry>,
  where: string,
): VersionEntry {
  const source = anchors.get(alias.source);
  if (!source) {
    const message = `${where}: the value of ${key} is an alias of something that is no version here; write it out.`;
    throw new Refusal('invalid', message);
  }
  source.followers.push(key);
  const [from, to] = alias.range ?? [0, 0];
  const { version } = source;
  return { key, version, line, from, to, quote: '', alias: true, followers: [] };
}

function scalarEntry(
  key: Scalar<string>,
  value: Scalar | null,
  line: number,
  text: string,
  where: string,
): VersionEntry {
  const [from, to] = value?.range ?? [key.range?.[1] ?? 0, key.range?.[1] ?? 0];
  const source = text.slice(from, to);
  const block = value?.type === Scalar.BLOCK_FOLDED || value?.type === Scalar.BLOCK_LITERAL;
  if (value === null || block || value.tag !== undefined || /[\r\n]/.test(source)) {
    const message = `${where}: the value of ${key.value} is more than one word on one line; write it as \`${key.value}: <version>\`.`;
    throw new Refusal('invalid', message);
  }
  const quote =
    value.type === Scalar.QUOTE_DOUBLE ? '"' : value.type === Scalar.QUOTE_SINGLE ? "'" : '';
  const version = quote === '' ? source : String(value.value);
  return { key: key.value, version, line, from, to, quote, alias: false, followers: [] };
}

/** Keeps the file's quotes, and adds some where a reader would take the version for something else. */
function inQuotes(version: string, quote: VersionEntry['quote']): string {
  if (quote !== '') return `${quote}${version}${quote}`;
  const plain = (['1.1', '1.2'] as const).every(
    (yaml) => parse(version, { version: yaml }) === version,
  );
  return plain ? version : `"${version}"`;
}
