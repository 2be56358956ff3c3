import { isObject, member, type Json } from './resource.ts';

/**
 * Lists of named things: their entries are matched by what Kubernetes merges them by, so that one
 * entry more is one change and not a change of all that follow. By the last step of the list's pointer.
 */
const KEY_OF: Readonly<Record<string, (entry: Json) => string | undefined>> = {
  containers: nameOf,
  initContainers: nameOf,
  ephemeralContainers: nameOf,
  env: nameOf,
  volumes: nameOf,
  imagePullSecrets: nameOf,
  ports: portOf,
  volumeMounts: (entry) => textOf(member(entry, 'mountPath')),
  volumeDevices: (entry) => textOf(member(entry, 'devicePath')),
  volumeClaimTemplates: (entry) => nameOf(member(entry, 'metadata')),
};

/**
 * The entries of both lists by key; undefined where they must be compared by position, because the
 * list is not of named things or an entry has no key of its own.
 */
export function keyLists(
  step: string | undefined,
  before: readonly Json[],
  after: readonly Json[],
): { before: Map<string, Json>; after: Map<string, Json> } | undefined {
  const keyOf = step !== undefined && Object.hasOwn(KEY_OF, step) ? KEY_OF[step] : undefined;
  if (!keyOf) return undefined;
  const keyed = { before: byKeyOf(keyOf, before), after: byKeyOf(keyOf, after) };
  return keyed.before && keyed.after ? { before: keyed.before, after: keyed.after } : undefined;
}

function byKeyOf(keyOf: (entry: Json) => string | undefined, list: readonly Json[]) {
  const keyed = new Map<string, Json>();
  for (const entry of list) {
    const key = keyOf(entry);
    if (key === undefined || keyed.has(key)) return undefined;
    keyed.set(key, entry);
  }
  return keyed;
}

function nameOf(entry: Json | undefined): string | undefined {
  return textOf(member(entry, 'name'));
}

/** Of a container or a Service; TCP is what Kubernetes takes when none is said. */
function portOf(entry: Json): string | undefined {
  if (!isObject(entry)) return undefined;
  const port = textOf(member(entry, 'containerPort') ?? member(entry, 'port'));
  if (port === undefined) return undefined;
  const protocol = textOf(member(entry, 'protocol')) ?? 'TCP';
  return protocol === 'TCP' ? port : `${port}-${protocol}`;
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
