import { parseAllDocuments } from 'yaml';
import type { HelmPayload } from './helm-secret.ts';

/** An object of a Helm release whose rollout is worth watching. */
export interface ReleasedObject {
  apiVersion: string;
  kind: string;
  name: string;
  /** What its pods run, init containers included. */
  images: readonly string[];
  /** A hook's Job, which lives for a moment of the Helm operation only. */
  hook: boolean;
  /** A Job that removes itself some time after its end. */
  vanishes: boolean;
}

const WORKLOADS = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'Pod']);
// Kubernetes' own objects have no condition to wait for, but for the workloads above.
const OWN_GROUPS = /^(v1|[a-z]+\/v\w+|[a-z.]+\.k8s\.io\/v\w+)$/;

/** What of a Helm revision's manifest and hooks has a rollout: workloads, and custom resources. */
export function releasedObjects(payload: HelmPayload): readonly ReleasedObject[] {
  const hooks = (payload.hooks ?? []).filter(
    ({ events = [] }) => !events.some((event) => event.startsWith('test')),
  );
  return [
    ...objectsOf(payload.manifest ?? '', false),
    ...hooks.flatMap(({ manifest = '' }) => objectsOf(manifest, true)),
  ];
}

function objectsOf(manifest: string, hook: boolean): ReleasedObject[] {
  return manifest.split(/^---(?=\s|$)/m).flatMap((text) => {
    // Most documents are of no interest, and parsing is what costs.
    const kind = /^kind:\s*"?(\w+)/m.exec(text)?.[1] ?? '';
    const apiVersion = /^apiVersion:\s*"?([\w./-]+)/m.exec(text)?.[1] ?? '';
    if (!WORKLOADS.has(kind) && (hook || OWN_GROUPS.test(apiVersion))) return [];
    return parseAllDocuments(text, { version: '1.1', logLevel: 'silent' }).flatMap((document) => {
      const object = document.toJS() as Parsed | null;
      const name = object?.metadata?.name;
      if (typeof name !== 'string') return [];
      const vanishes = kind === 'Job' && object?.spec?.ttlSecondsAfterFinished !== undefined;
      return [{ apiVersion, kind, name, images: imagesOf(object), hook, vanishes }];
    });
  });
}

function imagesOf(object: Parsed | null): string[] {
  const pod = object?.spec?.template?.spec ?? {};
  const containers = [pod.initContainers, pod.containers].flatMap((list) =>
    Array.isArray(list) ? (list as { image?: unknown }[]) : [],
  );
  return containers.flatMap(({ image }) => (typeof image === 'string' ? [image] : []));
}

interface Parsed {
  metadata?: { name?: unknown };
  spec?: {
    ttlSecondsAfterFinished?: unknown;
    template?: { spec?: { containers?: unknown; initContainers?: unknown } };
  };
}
