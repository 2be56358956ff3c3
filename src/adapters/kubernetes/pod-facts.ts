import type {
  V1Container,
  V1ContainerStatus,
  V1ObjectMeta,
  V1Pod,
  V1Probe,
} from '@kubernetes/client-node';
import type { ContainerFacts, PodFacts } from '../../domain/workload.ts';

/** The pods that an object owns and that are not on their way out. */
export function ownedPods(owner: string | undefined, pods: readonly V1Pod[]): V1Pod[] {
  return pods.filter(({ metadata }) => isOwnedBy(metadata, owner) && !metadata?.deletionTimestamp);
}

/** Whether the controller of that id made the object. */
export function isOwnedBy(metadata: V1ObjectMeta | undefined, uid: string | undefined): boolean {
  return uid !== undefined && (metadata?.ownerReferences ?? []).some((owner) => owner.uid === uid);
}

/** Whether a pod says that it can serve. */
export function isReady(pod: V1Pod): boolean {
  return (pod.status?.conditions ?? []).some(
    ({ type, status }) => type === 'Ready' && status === 'True',
  );
}

/** A pod, reduced to what the rules read. */
export function podFacts(pod: V1Pod): PodFacts {
  const declared = [
    ...(pod.spec?.initContainers ?? []).map((container) => ({ container, init: true })),
    ...(pod.spec?.containers ?? []).map((container) => ({ container, init: false })),
  ];
  const statuses = [
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.containerStatuses ?? []),
  ];
  const refused = pod.status?.conditions?.find(
    ({ type, status, reason }) =>
      type === 'PodScheduled' && status === 'False' && reason === 'Unschedulable',
  );
  return {
    name: pod.metadata?.name ?? '',
    ...(pod.metadata?.creationTimestamp
      ? { createdAt: inSeconds(pod.metadata.creationTimestamp) }
      : {}),
    containers: declared.flatMap(({ container, init }) => {
      const status = statuses.find(({ name }) => name === container.name);
      return status ? [containerFacts(status, container, init)] : [];
    }),
    ...(refused ? { unschedulable: refused.message ?? 'no reason given' } : {}),
  };
}

/** Kubernetes counts in seconds; client objects add milliseconds that it never said. */
export function inSeconds(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

function containerFacts(
  status: V1ContainerStatus,
  declared: V1Container,
  init: boolean,
): ContainerFacts {
  const waiting = status.state?.waiting;
  const exit = status.state?.terminated ?? status.lastState?.terminated;
  const memoryLimit = declared.resources?.limits?.memory;
  return {
    name: status.name,
    // The status holds the image as the node resolved it; people know the one they declared.
    image: declared.image ?? status.image,
    restarts: status.restartCount,
    ...(init ? { init: true as const } : {}),
    ...(status.state?.running ? { running: true as const } : {}),
    ...(status.ready ? { ready: true as const } : {}),
    ...(waiting
      ? { waiting: { reason: waiting.reason ?? '', message: waiting.message ?? '' } }
      : {}),
    ...(exit
      ? {
          lastExit: {
            reason: exit.reason ?? 'Error',
            exitCode: exit.exitCode,
            // Programs may write a termination message too; only the runtime's own is told here.
            ...(exit.reason === 'StartError' && exit.message ? { message: exit.message } : {}),
          },
        }
      : {}),
    ...(memoryLimit === undefined ? {} : { memoryLimit }),
    ...probesOf(declared),
  };
}

function probesOf({ startupProbe, readinessProbe, livenessProbe }: V1Container) {
  const probes = {
    ...(startupProbe ? { startup: probeInWords(startupProbe) } : {}),
    ...(readinessProbe ? { readiness: probeInWords(readinessProbe) } : {}),
    ...(livenessProbe ? { liveness: probeInWords(livenessProbe) } : {}),
  };
  return Object.keys(probes).length === 0 ? {} : { probes };
}

function probeInWords({ httpGet, tcpSocket, exec, grpc }: V1Probe): string {
  if (httpGet) return `GET :${String(httpGet.port)}${httpGet.path ?? '/'}`;
  if (tcpSocket) return `connect to :${String(tcpSocket.port)}`;
  if (grpc) return `gRPC health on :${grpc.port}`;
  return (exec?.command ?? []).join(' ').slice(0, 120);
}
