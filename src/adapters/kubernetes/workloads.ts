import type {
  V1ContainerStatus,
  V1Deployment,
  V1Job,
  V1ObjectMeta,
  V1Pod,
  V1ReplicaSet,
} from '@kubernetes/client-node';
import type { ContainerFacts, PodFacts, WorkloadFacts } from '../../domain/rollout.ts';
import { ask, type KubernetesApi } from './client.ts';

/** Helm sets this label and annotation on everything that it manages. */
const MANAGED = 'app.kubernetes.io/managed-by=Helm';
const RELEASE_ANNOTATION = 'meta.helm.sh/release-name';
const REVISION_ANNOTATION = 'deployment.kubernetes.io/revision';

/** The Deployments and Jobs that Helm releases of a namespace own, with the pods of their newest template. */
export async function listWorkloads(
  api: KubernetesApi,
  namespace: string,
): Promise<WorkloadFacts[]> {
  const managed = { namespace, labelSelector: MANAGED };
  const [deployments, jobs, replicaSets, pods] = await ask(
    `reading the workloads in ${namespace}`,
    () =>
      Promise.all([
        api.apps.listNamespacedDeployment(managed),
        api.batch.listNamespacedJob(managed),
        api.apps.listNamespacedReplicaSet({ namespace }),
        api.core.listNamespacedPod({ namespace }),
      ]),
  );
  return [
    ...deployments.items.map((item) => deploymentFacts(item, replicaSets.items, pods.items)),
    ...jobs.items.map((item) => jobFacts(item, pods.items)),
  ].filter(({ service }) => service !== '');
}

function deploymentFacts(
  k8sDeployment: V1Deployment,
  replicaSets: readonly V1ReplicaSet[],
  pods: readonly V1Pod[],
): WorkloadFacts {
  const { metadata, spec, status } = k8sDeployment;
  const revision = metadata?.annotations?.[REVISION_ANNOTATION];
  const newest = replicaSets.find(
    (set) =>
      isOwnedBy(set.metadata, metadata?.uid) &&
      set.metadata?.annotations?.[REVISION_ANNOTATION] === revision,
  );
  const updated = status?.updatedReplicas ?? 0;
  const failure = status?.conditions?.find(
    ({ type, status: value, reason }) =>
      (type === 'ReplicaFailure' && value === 'True') ||
      (type === 'Progressing' && value === 'False' && reason === 'ProgressDeadlineExceeded'),
  );
  return {
    ...identity('Deployment', metadata),
    observedGeneration: status?.observedGeneration ?? 0,
    desired: spec?.replicas ?? 1,
    updated,
    available: newest?.status?.availableReplicas ?? 0,
    old: Math.max(0, (status?.replicas ?? 0) - updated),
    ...(failure
      ? { failure: { reason: failure.reason ?? failure.type, message: failure.message ?? '' } }
      : {}),
    pods: podsOf(newest?.metadata?.uid, pods),
  };
}

function jobFacts(job: V1Job, pods: readonly V1Pod[]): WorkloadFacts {
  const { metadata, spec, status } = job;
  const desired = spec?.completions ?? 1;
  const failed = status?.conditions?.find(
    ({ type, status: value }) => type === 'Failed' && value === 'True',
  );
  const identified = identity('Job', metadata);
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
    pods: podsOf(metadata?.uid, pods),
  };
}

function identity(kind: WorkloadFacts['kind'], metadata: V1ObjectMeta | undefined) {
  return {
    kind,
    name: metadata?.name ?? '',
    service: metadata?.annotations?.[RELEASE_ANNOTATION] ?? '',
    generation: metadata?.generation ?? 0,
  };
}

function podsOf(owner: string | undefined, pods: readonly V1Pod[]): PodFacts[] {
  return pods
    .filter(({ metadata }) => isOwnedBy(metadata, owner) && !metadata?.deletionTimestamp)
    .map((pod) => {
      const declared = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
      const images = new Map(declared.map(({ name, image }) => [name, image]));
      const statuses = [
        ...(pod.status?.initContainerStatuses ?? []),
        ...(pod.status?.containerStatuses ?? []),
      ];
      return {
        name: pod.metadata?.name ?? '',
        // The status holds the image as the node resolved it; people know the one they declared.
        containers: statuses.map((status) => containerFacts(status, images.get(status.name))),
      };
    });
}

function containerFacts(status: V1ContainerStatus, image: string | undefined): ContainerFacts {
  const waiting = status.state?.waiting;
  const exit = status.state?.terminated ?? status.lastState?.terminated;
  return {
    name: status.name,
    image: image ?? status.image,
    restarts: status.restartCount,
    ...(waiting
      ? { waiting: { reason: waiting.reason ?? '', message: waiting.message ?? '' } }
      : {}),
    ...(exit ? { lastExit: { reason: exit.reason ?? 'Error', exitCode: exit.exitCode } } : {}),
  };
}

function isOwnedBy(metadata: V1ObjectMeta | undefined, uid: string | undefined): boolean {
  return uid !== undefined && (metadata?.ownerReferences ?? []).some((owner) => owner.uid === uid);
}
