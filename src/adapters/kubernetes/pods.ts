import { ApiException } from '@kubernetes/client-node';
import type { PodIdentity } from '../../domain/lease.ts';
import type { KubernetesApi } from './client.ts';

const DEADLINE_MS = 5_000;

interface Pods {
  core: Pick<KubernetesApi['core'], 'readNamespacedPod'>;
}

/**
 * The pod that this process runs in, if the downward API told it (`POD_NAMESPACE`, `POD_NAME`, `POD_UID`)
 * and the cluster knows that very pod. A worker that runs in another cluster than it releases to has none:
 * there its pod would always seem to be gone.
 *
 * @param apis the cluster, seen with the credentials of each environment; one that may read the pod is enough
 */
export async function findOwnPod(
  env: NodeJS.ProcessEnv,
  apis: readonly Pods[],
): Promise<PodIdentity | undefined> {
  const { POD_NAMESPACE: namespace, POD_NAME: name, POD_UID: uid } = env;
  if (!namespace || !name || !uid) return undefined;
  for (const api of apis) {
    if ((await uidOf(api, { namespace, name })) === uid) return { namespace, name, uid };
  }
  return undefined;
}

/** Whether this very pod is certainly gone; false when that cannot be told. */
export async function isPodGone(api: Pods, pod: PodIdentity): Promise<boolean> {
  const uid = await uidOf(api, pod);
  return uid !== undefined && uid !== pod.uid;
}

/** The uid of the pod of this name, empty when there is none; undefined when the cluster does not say. */
async function uidOf(
  api: Pods,
  { namespace, name }: Omit<PodIdentity, 'uid'>,
): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, DEADLINE_MS, undefined);
  });
  const asked = api.core.readNamespacedPod({ namespace, name }).then(
    ({ metadata }) => metadata?.uid,
    // A pod that may not be read is answered with 403, never with 404.
    (error: unknown) => (error instanceof ApiException && error.code === 404 ? '' : undefined),
  );
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}
