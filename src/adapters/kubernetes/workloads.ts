import type { KubernetesObject } from '@kubernetes/client-node';
import type { ConditionFacts, WorkloadFacts } from '../../domain/workload.ts';
import { SlipwayError } from '../../domain/errors.ts';
import { ask, type KubernetesApi } from './client.ts';
import type { ReleasedObject } from './inventory.ts';
import { inSeconds } from './pod-facts.ts';
import { BUILT_IN, listBuiltIn, type Listed } from './built-in-workloads.ts';
import { identity } from './workload-facts.ts';

/** What a service's newest Helm revision declares; `since` is when the revision was made. */
export interface Released {
  service: string;
  objects?: readonly ReleasedObject[];
  since?: Date;
}

/**
 * The workloads that Helm releases of a namespace declare, with the pods of their newest template; one
 * that is declared and not there is told as missing.
 *
 * Asked about once a second while something rolls out. Lists, and no watch: a watch that went silent
 * looks the same as a cluster in which nothing happens, so that lists would be needed beside it anyway.
 * One list for each kind that is declared at all; where few objects are, of them and theirs alone.
 */
export async function listWorkloads(
  api: KubernetesApi,
  namespace: string,
  released: readonly Released[],
): Promise<WorkloadFacts[]> {
  const declared = released.flatMap(({ service, objects = [], since = new Date(0) }) =>
    objects.map((object) => ({ ...object, service, since })),
  );
  const listed = await ask(`reading the workloads in ${namespace}`, () =>
    listBuiltIn(api, namespace, declared),
  );
  const custom = await listCustom(api, namespace, declared);
  return declared.flatMap(({ kind, name, service, hook, vanishes, since, apiVersion, images }) => {
    const group = custom.get(`${apiVersion} ${kind}`);
    // Kinds that cannot be listed are not judged.
    if (!BUILT_IN.has(kind) && !group) return [];
    const found = (group ?? listed).find(({ facts }) => facts.kind === kind && facts.name === name);
    if (!hook)
      return [
        found
          ? { ...found.facts, service, declared: { images, at: inSeconds(since) } }
          : missing(kind, name, service, vanishes),
      ];
    // What an earlier revision's hook left behind says nothing about this one.
    const made = found?.metadata?.creationTimestamp;
    return found && made && made >= since ? [{ ...found.facts, service, hook: true as const }] : [];
  });
}

/** Custom resources by `<apiVersion> <kind>`; a kind that may not be listed is left out. */
async function listCustom(
  api: KubernetesApi,
  namespace: string,
  declared: readonly { apiVersion: string; kind: string }[],
): Promise<Map<string, Listed[]>> {
  const kinds = new Map(
    declared
      .filter(({ kind }) => !BUILT_IN.has(kind))
      .map(({ apiVersion, kind }) => [`${apiVersion} ${kind}`, { apiVersion, kind }]),
  );
  const entries = await Promise.all(
    [...kinds].map(async ([key, { apiVersion, kind }]) => {
      try {
        const { items } = await ask(`reading ${kind} in ${namespace}`, () =>
          api.objects.list<CustomObject>(apiVersion, kind, namespace),
        );
        return [[key, items.map((item) => customFacts(kind, item))] as const];
      } catch (error) {
        if (error instanceof SlipwayError && error.code !== 'cluster-unreachable') return [];
        throw error;
      }
    }),
  );
  return new Map(entries.flat());
}

type CustomObject = KubernetesObject & {
  status?: { observedGeneration?: number; conditions?: Partial<ConditionFacts>[] };
};

function customFacts(kind: string, { metadata, status }: CustomObject): Listed {
  const identified = identity(kind, metadata);
  const conditions = (status?.conditions ?? []).map((condition) => ({
    ...{ type: '', status: '', reason: '', message: '' },
    ...condition,
  }));
  return {
    metadata,
    facts: {
      ...identified,
      ...{ desired: 1, updated: 1, available: 1, old: 0, pods: [], conditions },
      observedGeneration: status?.observedGeneration ?? identified.generation,
    },
  };
}

function missing(kind: string, name: string, service: string, vanishes: boolean): WorkloadFacts {
  return {
    ...{ kind, name, service, generation: 0, observedGeneration: 0, missing: true as const },
    ...{ desired: 1, updated: 0, available: 0, old: 0, pods: [] },
    ...(kind === 'Job'
      ? { job: { complete: false, failedPods: 0, backoffLimit: 0, vanishes } }
      : {}),
  };
}
