import { parseDocument, type Document, type ScalarTag, type Tags } from 'yaml';
import {
  isList,
  isObject,
  member,
  type Json,
  type JsonObject,
  type Resource,
} from '../../domain/diff/resource.ts';
import { SlipwayError } from '../../domain/errors.ts';

/** Parsed documents by their text; a diff reads mostly the same ones twice. */
export type ParsedDocuments = Map<string, readonly Resource[]>;

/**
 * The resources of a manifest as `helm template` and `helm get manifest` print it, read as Kubernetes
 * and Helm read it: YAML 1.1 (`no` is false), without its dates and base-60 numbers. Documents without
 * content are left out, and the items of a List are resources of their own.
 *
 * @param namespace where a resource goes that names no namespace
 */
export function parseManifests(
  text: string,
  namespace = '',
  parsed: ParsedDocuments = new Map(),
): Resource[] {
  return documentsOf(text).flatMap((document) => {
    const known = parsed.get(document) ?? parseResources(document, namespace);
    parsed.set(document, known);
    return known;
  });
}

/** Split as Helm splits. No other line can begin like this: what a block holds is indented. */
function documentsOf(text: string): string[] {
  return text.split(/^---(?=\s|$)/m).filter((document) => /^[ \t]*[^#\s]/m.test(document));
}

function parseResources(text: string, namespace: string): readonly Resource[] {
  const origin = /^# Source: (.+?)\s*$/m.exec(text)?.[1];
  const content = parse(text, origin);
  if (content === null) return [];
  if (!isObject(content)) throw unreadable(origin, 'a document is not an object');
  return flatten(content).map((item) => ({
    ...identify(item, namespace, origin),
    ...(origin === undefined ? {} : { origin }),
    content: item,
  }));
}

/** `kind: List`, and what `kubectl get --output yaml` calls `ConfigMapList` and so on. */
function flatten(content: JsonObject): JsonObject[] {
  const kind = member(content, 'kind');
  const items = member(content, 'items');
  if (typeof kind !== 'string' || !kind.endsWith('List') || !isList(items)) return [content];
  return items.flatMap((item) => (isObject(item) ? flatten(item) : []));
}

function identify(content: JsonObject, namespace: string, origin: string | undefined) {
  const apiVersion = member(content, 'apiVersion');
  const kind = member(content, 'kind');
  const metadata = member(content, 'metadata');
  const name = member(metadata, 'name') ?? member(metadata, 'generateName');
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
    throw unreadable(origin, 'a resource has no apiVersion or no kind');
  }
  // Helm and Kubernetes take no such name either; what a template made of it still has to be shown.
  const nameText = typeof name === 'string' ? name : JSON.stringify(name ?? '');
  const own = member(metadata, 'namespace');
  return {
    group: apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '',
    kind,
    namespace: typeof own === 'string' && own !== '' ? own : namespace,
    name: nameText,
  };
}

function parse(text: string, origin: string | undefined): Json {
  const document = parseDocument(text, {
    version: '1.1',
    customTags: helmTags,
    // Of a key that stands twice the last one counts, as for Helm.
    uniqueKeys: false,
    intAsBigInt: true,
    // An excerpt of the text could hold a secret.
    prettyErrors: false,
    logLevel: 'silent',
  });
  const [error] = document.errors;
  if (error) throw unreadable(origin, `${error.code} in line ${lineOf(text, error.pos[0])}`);
  return toJson(contentOf(document, origin));
}

function contentOf(document: Document, origin: string | undefined): unknown {
  try {
    return document.toJS({ maxAliasCount: 10_000 });
  } catch (cause) {
    throw unreadable(origin, 'an alias cannot be followed', cause);
  }
}

function lineOf(text: string, offset: number): number {
  // What stands before is the rest of the line with the three dashes.
  return text.slice(0, offset).trimStart().split('\n').length;
}

function unreadable(origin: string | undefined, why: string, cause?: unknown): SlipwayError {
  return new SlipwayError(
    'template-error',
    `reading the manifest${origin === undefined ? '' : ` from ${origin}`}: ${why}`,
    { cause },
  );
}

/** The YAML library that Helm and Kubernetes share knows neither dates nor base 60, but `0o17`. */
function helmTags(tags: Tags): Tags {
  const kept = tags.filter(
    (tag) =>
      typeof tag === 'string' ||
      !(tag.tag.endsWith(':timestamp') || tag.tag.endsWith(':binary') || tag.format === 'TIME'),
  );
  return [octal, ...kept];
}

const octal: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  format: 'OCT',
  default: true,
  test: /^[-+]?0o[0-7_]+$/,
  resolve: (text) =>
    BigInt(text.replace(/^[-+]/, '').replaceAll('_', '')) * (text.startsWith('-') ? -1n : 1n),
};

/** Numbers that JSON cannot hold become text that no string is written as, so that they still differ. */
function toJson(value: unknown): Json {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : `!!int ${value}`;
  }
  if (typeof value === 'number') return Number.isFinite(value) ? value : `!!float ${value}`;
  if (value === undefined || value === null) return null;
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]));
  }
  return value as boolean | string;
}
