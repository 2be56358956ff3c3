import type { ResourceChange } from './compare.ts';
import { resourceOf } from './compare.ts';
import { member, type Resource, type ResourceId } from './resource.ts';

/**
 * What a person should look at before it happens. `data-loss`: what the resource holds may go with it.
 * `removed`: the resource goes. `immutable`: the API server refuses the change, so that the resource has
 * to be made anew.
 */
export const RISKS = ['data-loss', 'removed', 'immutable'] as const;
export type Risk = (typeof RISKS)[number];

/** Kinds with which more goes than themselves. */
const HOLDS_DATA = new Set([
  '/Namespace',
  '/PersistentVolume',
  '/PersistentVolumeClaim',
  'apiextensions.k8s.io/CustomResourceDefinition',
]);

/** Fields that cannot change once the resource exists, by group and kind. */
const IMMUTABLE: Readonly<Record<string, RegExp>> = {
  '/PersistentVolumeClaim': /^\/spec(?!\/resources)(\/|$)/,
  '/Secret': /^\/type$/,
  '/Service': /^\/spec\/clusterIPs?(\/|$)/,
  'apps/DaemonSet': /^\/spec\/selector(\/|$)/,
  'apps/Deployment': /^\/spec\/selector(\/|$)/,
  'apps/StatefulSet':
    /^\/spec\/(selector|serviceName|podManagementPolicy|volumeClaimTemplates)(\/|$)/,
  'batch/Job': /^\/spec\/(selector|template|completionMode)(\/|$)/,
  'rbac.authorization.k8s.io/ClusterRoleBinding': /^\/roleRef(\/|$)/,
  'rbac.authorization.k8s.io/RoleBinding': /^\/roleRef(\/|$)/,
  'storage.k8s.io/StorageClass':
    /^\/(provisioner|parameters|reclaimPolicy|volumeBindingMode)(\/|$)/,
};

/** The greatest risk of a change, if it has one. */
export function riskOf(change: ResourceChange): Risk | undefined {
  const resource = resourceOf(change);
  // A hook is made anew each time, and its removal from the chart deletes nothing.
  if (isHook(resource)) return undefined;
  switch (change.change) {
    case 'added':
      return undefined;
    case 'removed':
      if (isKept(resource)) return undefined;
      return HOLDS_DATA.has(kindOf(resource)) ? 'data-loss' : 'removed';
    case 'changed':
      return change.fields.some(({ pointer }) => isImmutable(change.before, pointer))
        ? 'immutable'
        : undefined;
  }
}

/** Whether the API server refuses a change of this field of the resource as it runs. */
export function isImmutable(live: Resource | undefined, pointer: string): boolean {
  if (!live || isHook(live)) return false;
  const kind = kindOf(live);
  if (Object.hasOwn(IMMUTABLE, kind) && IMMUTABLE[kind]?.test(pointer)) return true;
  const isSealed = member(live.content, 'immutable') === true;
  return (
    isSealed &&
    (kind === '/ConfigMap' || kind === '/Secret') &&
    /^\/(data|binaryData|stringData|immutable)(\/|$)/.test(pointer)
  );
}

function kindOf({ group, kind }: ResourceId): string {
  return `${group}/${kind}`;
}

/** Whether Helm runs it for a moment of an operation, instead of keeping it. */
export function isHook(resource: Resource): boolean {
  return annotation(resource, 'helm.sh/hook') !== undefined;
}

function isKept(resource: Resource): boolean {
  return annotation(resource, 'helm.sh/resource-policy') === 'keep';
}

function annotation({ content }: Resource, name: string) {
  return member(member(member(content, 'metadata'), 'annotations'), name);
}
