import { compareValues, type FieldChange } from './fields.ts';
import { byReadingOrder, type Resource } from './resource.ts';

export const CHANGES = ['added', 'removed', 'changed'] as const;
export type Change = (typeof CHANGES)[number];

/** One resource that differs. Holds secrets: only what describeChange makes of it may leave. */
export interface ResourceChange {
  change: Change;
  /** As it runs; absent when it is new. */
  before?: Resource;
  /** As rendered; absent when it is gone. */
  after?: Resource;
  /** Empty for a resource that is new or gone as a whole. */
  fields: FieldChange[];
}

/**
 * What applying the rendered resources would change of the live ones, in the order in which people
 * read them. Empty only where both are equal as parsed, whatever the order of the resources.
 */
export function compareManifests(
  rendered: readonly Resource[],
  live: readonly Resource[],
): ResourceChange[] {
  const after = byId(rendered);
  const before = byId(live);
  const changes: ResourceChange[] = [];
  for (const [id, resource] of after) {
    const was = before.get(id);
    if (!was) {
      changes.push({ change: 'added', after: resource, fields: [] });
      continue;
    }
    const fields = compareValues(was.content, resource.content);
    if (fields.length > 0) {
      changes.push({ change: 'changed', before: was, after: resource, fields });
    }
  }
  for (const [id, resource] of before) {
    if (!after.has(id)) changes.push({ change: 'removed', before: resource, fields: [] });
  }
  return changes.sort((a, b) => byReadingOrder(resourceOf(a), resourceOf(b)));
}

/** The resource that changed, as it will be where it will be. */
export function resourceOf({ before, after }: ResourceChange): Resource {
  const resource = after ?? before;
  if (!resource) throw new Error('a change is of a resource');
  return resource;
}

/** A manifest may hold a resource twice; the second is compared with the second. */
function byId(resources: readonly Resource[]): Map<string, Resource> {
  const found = new Map<string, Resource>();
  for (const resource of resources) {
    const { group, kind, namespace, name } = resource;
    let n = 0;
    let id: string;
    do {
      id = JSON.stringify([group, kind, namespace, name, n]);
      n += 1;
    } while (found.has(id));
    found.set(id, resource);
  }
  return found;
}
