import { posix } from 'node:path';
import { parse } from 'yaml';
import { BoundedMap } from '../../domain/bounded-map.ts';
import { SlipwayError } from '../../domain/errors.ts';

/** One helmfile of `helmfile build`, cut into the texts that helmfile printed. */
export interface BuildDocument {
  /** Path of the helmfile in the commit's tree; what it refers to is relative to its folder. */
  source: string;
  /** The text of each top-level key, with the key. */
  sections: ReadonlyMap<string, string>;
  /** The text of each release, by its name. */
  releases: ReadonlyMap<string, string>;
}

const DOCUMENT = /^---\n# {2}Source: (.*)\n/m;
const ITEM = /^ {2}- /m;
const RELEASE_NAME = /^(?: {4}| {2}- )name: (.+)$/m;

/**
 * Cuts the output of `helmfile build` by its layout, which is always the same: parsing 100 services as
 * YAML takes longer than all else of a plan.
 *
 * @param output with the folder of the checked-out commit taken away from its paths
 */
export function cutBuild(output: string): BuildDocument[] {
  const [before = '', ...parts] = output.split(DOCUMENT);
  if (before.trim() !== '' || parts.length % 2 !== 0) throw unexpected('its documents');
  const documents: BuildDocument[] = [];
  for (let at = 0; at < parts.length; at += 2) {
    const sections = cutSections(parts[at + 1] ?? '');
    const source = (parts[at] ?? '').replace(/^\//, '');
    documents.push({ source, sections, releases: cutReleases(sections.get('releases') ?? '') });
  }
  return documents;
}

function cutSections(text: string): Map<string, string> {
  const sections = new Map<string, string>();
  for (const section of text.split(/^(?=[A-Za-z])/m)) {
    const key = /^([A-Za-z]+):/.exec(section)?.[1];
    if (key !== undefined) sections.set(key, section);
    else if (section.trim() !== '') throw unexpected('its keys');
  }
  return sections;
}

function cutReleases(section: string): Map<string, string> {
  const releases = new Map<string, string>();
  const [, ...items] = section.split(ITEM);
  for (const item of items) {
    const text = `  - ${item}`;
    const written = RELEASE_NAME.exec(text)?.[1];
    if (written === undefined) throw unexpected('a release');
    const name = String(parse(written));
    if (releases.has(name)) throw twice(name);
    releases.set(name, text);
  }
  return releases;
}

/** What a release refers to, from its text in the output without embedded values. */
export interface ReleaseEntry {
  name: string;
  namespace: string;
  chart: string;
  version: string;
  installed: boolean;
  hasCondition: boolean;
  /** The whole entry. */
  fields: Readonly<Record<string, unknown>>;
}

// A plan reads mostly the same releases as the one before.
const PARSED_MAX = 2_000;
const parsed = new BoundedMap<string, ReleaseEntry>(PARSED_MAX);

/** Parses the text of one release. */
export function readRelease(text: string): ReleaseEntry {
  const known = parsed.get(text);
  if (known) return known;
  const [fields] = parse(text) as [Record<string, unknown>];
  const textOf = (key: string) => {
    const value = fields[key];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  const entry = {
    name: textOf('name'),
    namespace: textOf('namespace'),
    chart: textOf('chart'),
    version: textOf('version'),
    installed: fields['installed'] !== false,
    hasCondition: fields['condition'] !== undefined,
    fields,
  };
  parsed.set(text, entry);
  return entry;
}

/** The folder from which the values and secrets files of a release are named. @param folder of its helmfile */
export function valuesFolder({ fields }: Pick<ReleaseEntry, 'fields'>, folder: string): string {
  const prefix = fields['valuesPathPrefix'];
  return typeof prefix === 'string' ? posix.join(folder, prefix) : folder;
}

export function twice(name: string): SlipwayError {
  return new SlipwayError('template-error', `Two services are named "${name}"; names must differ.`);
}

function unexpected(what: string): SlipwayError {
  return new SlipwayError(
    'template-error',
    `helmfile printed its evaluated state in a form that is not known here (${what}).`,
  );
}
