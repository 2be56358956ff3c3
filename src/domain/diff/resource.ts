/** What YAML and JSON have in common. */
export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export type JsonObject = Readonly<Record<string, Json>>;

/** What Kubernetes knows a resource by; its version is not part of it. */
export interface ResourceId {
  /** Of the `apiVersion`; empty for the core group. */
  group: string;
  kind: string;
  /** The one that the resource names, else the one that it is released into. */
  namespace: string;
  name: string;
}

/** One resource of a manifest, as parsed. Holds secrets. */
export interface Resource extends ResourceId {
  /** The template that it came from, as Helm's `# Source:` comment says. */
  origin?: string;
  content: JsonObject;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** The member of an object, never one that it inherits. */
export function member(value: Json | undefined, key: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** What sets the namespace, the access and the settings comes before what runs with them. */
const READING_ORDER = [
  'Namespace',
  'CustomResourceDefinition',
  'ServiceAccount',
  'ClusterRole',
  'ClusterRoleBinding',
  'Role',
  'RoleBinding',
  'ConfigMap',
  'Secret',
  'Service',
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'CronJob',
  'Ingress',
];

/** The order in which people read resources. */
export function byReadingOrder(a: ResourceId, b: ResourceId): number {
  return (
    rank(a.kind) - rank(b.kind) ||
    byText(a.kind, b.kind) ||
    byText(a.name, b.name) ||
    byText(a.group, b.group) ||
    byText(a.namespace, b.namespace)
  );
}

function rank(kind: string): number {
  const index = READING_ORDER.indexOf(kind);
  return index === -1 ? READING_ORDER.length : index;
}

const FIRST_KEYS = ['apiVersion', 'kind', 'metadata', 'name'];

/** The order of an object's keys: what names it comes first. */
export function byKey(a: string, b: string): number {
  return keyRank(a) - keyRank(b) || byText(a, b);
}

function keyRank(key: string): number {
  const index = FIRST_KEYS.indexOf(key);
  return index === -1 ? FIRST_KEYS.length : index;
}

/** The same on every machine, whatever its language. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
