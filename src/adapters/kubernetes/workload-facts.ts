import type {
  V1DaemonSet,
  V1Deployment,
  V1Job,
  V1ObjectMeta,
  V1Pod,
  V1ReplicaSet,
  V1StatefulSet,
} from '@kubernetes/client-node';
import { sleepScheduleOf } from '../../domain/sleep-schedule.ts';
import type { WorkloadFacts } from '../../domain/workload.ts';
import { inSeconds, isOwnedBy, isReady, ownedPods, podFacts } from './pod-facts.ts';

/** Helm sets this annotation on everything that it manages. */
const RELEASE_ANNOTATION = 'meta.helm.sh/release-name';
const REVISION_ANNOTATION = 'deployment.kubernetes.io/revision';
const TEMPLATE_ANNOTATION = 'deprecated.daemonset.template.generation';

/** What a Deployment and the pods of its newest ReplicaSet say. */
export function deploymentFacts(
  { metadata, spec, status }: V1Deployment,
  replicaSets: readonly V1ReplicaSet[],
  pods: readonly V1Pod[],
): WorkloadFacts {
  const revision = metadata?.annotations?.[REVISION_ANNOTATION];
  const newest = replicaSets.find(
    (set) =>
      isOwnedBy(set.metadata, metadata?.uid) &&
      set.metadata?.annotations?.[REVISION_ANNOTATION] === revision,
  );
  const updated = status?.updatedReplicas ?? 0;
  // A paused Deployment makes no ReplicaSet for its new template: the newest is still the old one.
  const isOwn = !(spec?.paused && updated === 0);
  const conditions = status?.conditions ?? [];
  const failure = conditions.find(
    ({ type, status: value, reason }) =>
      (type === 'ReplicaFailure' && value === 'True') ||
      (type === 'Progressing' && value === 'False' && reason === 'ProgressDeadlineExceeded'),
  );
  const rolledOut = conditions.some(({ reason }) => reason === 'NewReplicaSetAvailable');
  return {
    ...identity('Deployment', metadata),
    observedGeneration: status?.observedGeneration ?? 0,
    desired: spec?.replicas ?? 1,
    updated,
    available: isOwn ? (newest?.status?.availableReplicas ?? 0) : 0,
    old: Math.max(0, (status?.replicas ?? 0) - updated),
    ...(failure
      ? {
          failure: {
            reason: failure.reason ?? failure.type,
            message: failure.message ?? '',
            ...(failure.lastUpdateTime ? { at: inSeconds(failure.lastUpdateTime) } : {}),
          },
        }
      : {}),
    ...(spec?.paused ? { paused: true as const } : {}),
    ...(isOwn && newest?.metadata?.name ? { replicaSet: newest.metadata.name } : {}),
    ...(rolledOut ? { rolledOut: true as const } : {}),
    pods: isOwn ? ownedPods(newest?.metadata?.uid, pods).map(podFacts) : [],
  };
}

/** What a StatefulSet and its pods of the update revision say. */
export function statefulSetFacts(
  { metadata, spec, status }: V1StatefulSet,
  pods: readonly V1Pod[],
): WorkloadFacts {
  const own = ownedPods(metadata?.uid, pods);
  const newest = own.filter(
    (pod) => pod.metadata?.labels?.['controller-revision-hash'] === status?.updateRevision,
  );
  const onDelete = spec?.updateStrategy?.type === 'OnDelete';
  const partition = onDelete ? 0 : (spec?.updateStrategy?.rollingUpdate?.partition ?? 0);
  const desired = spec?.replicas ?? 1;
  const older = own.length - newest.length;
  const ready = newest.filter(isReady).length;
  return {
    ...identity('StatefulSet', metadata),
    observedGeneration: status?.observedGeneration ?? 0,
    desired,
    updated: newest.length,
    // The controller alone knows who was ready for minReadySeconds, but counts all templates.
    available: Math.min(ready, status?.availableReplicas ?? ready),
    old: onDelete ? 0 : Math.max(0, older - Math.min(partition, desired)),
    pods: newest.map(podFacts),
    ...(onDelete ? { updatesOnDelete: { waiting: older } } : {}),
    ...(partition > 0 ? { partition } : {}),
  };
}

/** What a DaemonSet and its pods of the newest template say. */
export function daemonSetFacts(
  { metadata, spec, status }: V1DaemonSet,
  pods: readonly V1Pod[],
): WorkloadFacts {
  const template = metadata?.annotations?.[TEMPLATE_ANNOTATION];
  const own = ownedPods(metadata?.uid, pods);
  const newest = own.filter(
    (pod) => pod.metadata?.labels?.['pod-template-generation'] === template,
  );
  const onDelete = spec?.updateStrategy?.type === 'OnDelete';
  const older = own.length - newest.length;
  const ready = newest.filter(isReady).length;
  return {
    ...identity('DaemonSet', metadata),
    observedGeneration: status?.observedGeneration ?? 0,
    desired: status?.desiredNumberScheduled ?? 0,
    updated: newest.length,
    available: Math.min(ready, status?.numberAvailable ?? 0),
    old: onDelete ? 0 : older,
    pods: newest.map(podFacts),
    ...(onDelete ? { updatesOnDelete: { waiting: older } } : {}),
  };
}

/** What a Job and its pods say. */
export function jobFacts({ metadata, spec, status }: V1Job, pods: readonly V1Pod[]): WorkloadFacts {
  const has = (wanted: string) =>
    status?.conditions?.find(({ type, status: value }) => type === wanted && value === 'True');
  const failed = has('Failed') ?? has('FailureTarget');
  const identified = identity('Job', metadata);
  const desired = spec?.completions ?? 1;
  return {
    ...identified,
    // A Job's template cannot change, and its controller reports no generation.
    observedGeneration: identified.generation,
    desired,
    updated: desired,
    available: status?.succeeded ?? 0,
    old: 0,
    ...(failed
      ? { failure: { reason: failed.reason ?? 'Failed', message: failed.message ?? '' } }
      : {}),
    ...(spec?.suspend ? { paused: true as const } : {}),
    job: {
      complete: has('Complete') !== undefined,
      failedPods: status?.failed ?? 0,
      backoffLimit: spec?.backoffLimit ?? 6,
      vanishes: spec?.ttlSecondsAfterFinished !== undefined,
    },
    pods: ownedPods(metadata?.uid, pods).map(podFacts),
  };
}

/** A pod that the chart itself declares. */
export function barePodFacts(pod: V1Pod): WorkloadFacts {
  const identified = identity('Pod', pod.metadata);
  const isDone = isReady(pod) || pod.status?.phase === 'Succeeded';
  return {
    ...identified,
    observedGeneration: identified.generation,
    desired: 1,
    updated: 1,
    available: isDone ? 1 : 0,
    old: 0,
    ...(pod.status?.phase === 'Failed'
      ? { failure: { reason: 'ProgressDeadlineExceeded', message: 'the pod failed' } }
      : {}),
    pods: [podFacts(pod)],
  };
}

/** What an object says of whom it belongs to and which change it has. */
export function identity(kind: string, metadata: V1ObjectMeta | undefined) {
  const sleep = sleepScheduleOf(metadata?.annotations);
  return {
    kind,
    name: metadata?.name ?? '',
    service: metadata?.annotations?.[RELEASE_ANNOTATION] ?? '',
    generation: metadata?.generation ?? 0,
    ...(sleep ? { sleep } : {}),
  };
}
