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

/**
 * The resources of a manifest as `helm template` and `helm get manifest` print it, read as Kubernetes
 * and Helm read it: YAML 1.1 (`no` is false), without its dates and base-60 numbers. Documents without
 * content are left out, and the items of a List are resources of their own.
 *
 * @param namespace where a resource goes that names no namespace
 */
export function parseManifests(text: string, namespace = ''): Resource[] {
  return parseDocuments(documentsOf(text), namespace);
}

/** The documents of a manifest, without those that hold nothing but comments. */
export function documentsOf(text: string): string[] {
  // Split as Helm splits: no other line can begin like this, since what a block holds is indented.
  const documents = text.split(/^---(?=\s|$)/m).map((document) => document.replace(/^\s*\n/, ''));
  return documents.filter((document) => /^[ \t]*[^#\s]/m.test(document));
}

/** The resources of documents that were split before. */
export function parseDocuments(documents: readonly string[], namespace: string): Resource[] {
  return documents.flatMap((document) => parseResources(document, namespace));
}

function parseResources(text: string, namespace: string): Resource[] {
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
  } catch {
    // Its own message names what stands there.
    throw unreadable(origin, 'an alias cannot be followed');
  }
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function unreadable(origin: string | undefined, why: string): SlipwayError {
  return new SlipwayError(
    'template-error',
    `reading the manifest${origin === undefined ? '' : ` from ${origin}`}: ${why}`,
  );
}

/** Dates and binaries stay text for Helm and Kubernetes, and what a number is they decide otherwise. */
function helmTags(tags: Tags): Tags {
  const replaced = /:(timestamp|binary|int|float)$/;
  const kept = tags.filter((tag) => typeof tag === 'string' || !replaced.test(tag.tag));
  return [number, notFinite, ...kept];
}

/**
 * Numbers as the YAML library of Helm and Kubernetes reads them: none to base 60, `0o17` but not `e1`,
 * as the end of a commit's id may be.
 */
const number: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^([0-9]|[-+][\w.]|\.[0-9])[\w.+-]*$/,
  resolve: (text) => {
    const plain = text.replaceAll('_', '');
    if (INTEGER.test(plain)) return integer(plain);
    const value = FLOAT.test(plain) ? Number(plain) : NaN;
    // Beyond all numbers it is text: `6e862` and `4e999` are not the same.
    return Number.isFinite(value) ? value : text;
  },
};

const notFinite: ScalarTag = {
  tag: 'tag:yaml.org,2002:float',
  default: true,
  test: /^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$/,
  resolve: (text) => `!!float ${text}`,
};

const INTEGER = /^[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|[1-9][0-9]*|0)$/;
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;

function integer(text: string): bigint {
  const digits = text.replace(/^[-+]/, '').replace(/^0(?=[0-9])/, '0o');
  return text.startsWith('-') ? -BigInt(digits) : BigInt(digits);
}

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
