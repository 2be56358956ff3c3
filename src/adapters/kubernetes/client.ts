import {
  ApiException,
  AppsV1Api,
  AutoscalingV2Api,
  BatchV1Api,
  CoreV1Api,
  KubernetesObjectApi,
  setHeaderOptions,
  type V1Secret,
} from '@kubernetes/client-node';
import { SlipwayError, type CauseCode } from '../../domain/errors.ts';
import { innermostCause } from '../../domain/innermost-cause.ts';
import { toKubeConfig, type ClusterAccess } from './access.ts';

/** The API of one cluster, seen with the credentials of one environment. */
export interface KubernetesApi {
  core: CoreV1Api;
  apps: AppsV1Api;
  batch: BatchV1Api;
  autoscaling: AutoscalingV2Api;
  /** Objects of any kind, by what the API server says of its kinds. */
  objects: KubernetesObjectApi;
}

/** Opens the API of a cluster; connects at the first call. */
export function openKubernetes(access: ClusterAccess): KubernetesApi {
  const config = toKubeConfig(access);
  return {
    core: config.makeApiClient(CoreV1Api),
    apps: config.makeApiClient(AppsV1Api),
    batch: config.makeApiClient(BatchV1Api),
    autoscaling: config.makeApiClient(AutoscalingV2Api),
    objects: KubernetesObjectApi.makeApiClient(config),
  };
}

const METADATA_ONLY = setHeaderOptions(
  'Accept',
  'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
);

/** Secrets without their content, which is not even transferred. */
export async function listSecretMetadata(
  api: KubernetesApi,
  namespace: string,
  labelSelector: string,
): Promise<V1Secret[]> {
  const list: { items: V1Secret[] | null } = await api.core.listNamespacedSecret(
    { namespace, labelSelector },
    METADATA_ONLY,
  );
  // In this form of the answer, null stands for none.
  return list.items ?? [];
}

/** A request that got no answer by then counts as a cluster that is away. */
const DEADLINE_MS = 10_000;

/**
 * Makes one request to the API server, and translates its failure. Without an answer it is made once
 * more, so asked twice it must do no more than asked once.
 *
 * @param doing what is being done, for the message
 * @param notFound what it means that the thing is not there; by default it may come back
 */
export async function ask<T>(
  doing: string,
  request: () => Promise<T>,
  notFound: CauseCode = 'cluster-unreachable',
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${DEADLINE_MS / 1000} s`));
    }, DEADLINE_MS);
  });
  try {
    return await Promise.race([request().catch(orAgain), late]);
  } catch (error) {
    throw translate(doing, error, notFound);
  } finally {
    clearTimeout(timer);
  }

  // The other side may have closed a kept connection in the very moment of the request.
  function orAgain(error: unknown): Promise<T> {
    if (error instanceof ApiException) throw error;
    return request();
  }
}

function translate(doing: string, error: unknown, notFound: CauseCode): SlipwayError {
  if (!(error instanceof ApiException)) {
    const { reason, code } = networkReason(error);
    return new SlipwayError(code, `${doing}: ${reason}`, { cause: error });
  }
  const message = bodyMessage(error.body) ?? `HTTP ${error.code}`;
  switch (error.code) {
    case 401:
      return new SlipwayError('cluster-auth', `${doing}: the API server refuses the token`);
    case 403:
      return new SlipwayError('rbac-forbidden', `${doing}: ${message}`);
    case 404:
      return new SlipwayError(notFound, `${doing}: ${message}`);
    default:
      return new SlipwayError('cluster-unreachable', `${doing}: ${message}`);
  }
}

/** What is wrong with a certificate does not pass by itself. */
const UNTRUSTED = /^(CERT_|ERR_TLS_CERT|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/;

function networkReason(error: unknown): {
  reason: string;
  code: 'cluster-auth' | 'cluster-unreachable';
} {
  const inner = innermostCause(error);
  if (!(inner instanceof Error)) {
    return { reason: 'the request failed', code: 'cluster-unreachable' };
  }
  const name = (inner as NodeJS.ErrnoException).code ?? '';
  const reason = inner.message.includes(name) ? inner.message : `${inner.message} ${name}`;
  return { reason, code: UNTRUSTED.test(name) ? 'cluster-auth' : 'cluster-unreachable' };
}

/** What the API server says about a failure; undefined where something before it answered. */
export function bodyMessage(body: unknown): string | undefined {
  try {
    const parsed: unknown = typeof body === 'string' ? JSON.parse(body) : body;
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed) {
      return String(parsed.message);
    }
  } catch {
    // An answer that is no JSON comes from something before the API server; its text says nothing.
  }
  return undefined;
}
