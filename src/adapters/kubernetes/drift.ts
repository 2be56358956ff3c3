import type { ResourceChange } from '../../domain/diff/compare.ts';
import { describeChange } from '../../domain/diff/describe.ts';
import type { ServiceDiff } from '../../domain/diff/plan-diff.ts';
import {
  byReadingOrder,
  isObject,
  member,
  type JsonObject,
  type Resource,
} from '../../domain/diff/resource.ts';
import { isHook } from '../../domain/diff/risk.ts';
import { driftedFields } from '../../domain/drift/fields.ts';
import type { NotLookedAt } from '../../domain/drift/report.ts';
import { redactionOf } from '../helmfile/diff.ts';
import { parseManifests } from '../helmfile/manifests.ts';
import type { LiveObjects } from './live-objects.ts';

export interface ServiceToLookAt {
  service: string;
  namespace: string;
  /** As Helm has it. */
  manifest: string;
  /** Such as `Deployment/api`. */
  autoscaled: ReadonlySet<string>;
  redact: (text: string) => string;
}

/** Few enough that an API server does not notice. */
const AT_ONCE = 4;

/**
 * Compares the live objects of a service with its manifest. Values of Secrets and those that `redact` masks
 * do not leave. Helm's hooks are left out: they live for a moment.
 */
export async function lookForDrift(
  objects: Pick<LiveObjects, 'look'>,
  { service, namespace, manifest, autoscaled, redact }: ServiceToLookAt,
): Promise<{ diff: ServiceDiff; notLookedAt: NotLookedAt[] }> {
  const declared = parseManifests(manifest, namespace).filter((resource) => !isHook(resource));
  const redaction = redactionOf(declared, redact);
  const changes: ResourceChange[] = [];
  const refused = new Map<string, string>();
  const waiting = [...declared].sort(byReadingOrder);
  const lookAtNext = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      // What is refused of one object is mostly refused of all of its kind.
      if (refused.has(next.kind)) continue;
      const content = asStored(next.content);
      const looked = await objects.look(content);
      if (looked.is === 'refused') refused.set(next.kind, looked.why);
      else if (looked.is === 'gone') {
        if (!vanishes(next)) changes.push({ change: 'removed', before: next, fields: [] });
      } else {
        const isAutoscaled = autoscaled.has(`${next.kind}/${next.name}`);
        const { live, applied } = looked;
        const look = { kind: next.kind, declared: content, live, applied };
        const fields = driftedFields({ ...look, autoscaled: isAutoscaled });
        if (fields.length === 0) continue;
        const before = { ...next, content: withoutRecords(applied) };
        changes.push({
          ...{ change: 'changed', before, fields },
          after: { ...next, content: withoutRecords(live) },
        });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lookAtNext));
  return {
    diff: { service, resources: changes.map((change) => describeChange(change, redaction)) },
    notLookedAt: [...refused].map(([kind, why]) => ({
      ...{ what: `${kind} of ${service}`, why: redact(why).slice(0, 500) },
    })),
  };
}

/** What is written as `stringData` is kept as `data`, which alone can be read again. */
function asStored(content: JsonObject): JsonObject {
  const { stringData, ...rest } = content;
  if (content['kind'] !== 'Secret' || !isObject(stringData)) return content;
  const encoded = Object.entries(stringData).map(([key, value]): [string, string] => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return [key, Buffer.from(text).toString('base64')];
  });
  const data = isObject(rest['data']) ? rest['data'] : {};
  return { ...rest, data: { ...data, ...Object.fromEntries(encoded) } };
}

/** A Job that removes itself some time after its end. */
function vanishes({ kind, content }: Resource): boolean {
  return kind === 'Job' && member(content['spec'], 'ttlSecondsAfterFinished') !== undefined;
}

const RECORDS = ['managedFields', 'resourceVersion', 'generation', 'uid', 'creationTimestamp'];

/** What the API server keeps of an object is no part of its text. */
function withoutRecords(content: JsonObject): JsonObject {
  const { metadata } = content;
  const rest = Object.fromEntries(Object.entries(content).filter(([key]) => key !== 'status'));
  if (!isObject(metadata)) return rest;
  const kept = Object.entries(metadata).filter(([key]) => !RECORDS.includes(key));
  return { ...rest, metadata: Object.fromEntries(kept) };
}
