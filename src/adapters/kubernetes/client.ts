import { ApiException, AppsV1Api, BatchV1Api, CoreV1Api } from '@kubernetes/client-node';
import { SlipwayError } from '../../domain/errors.ts';
import { toKubeConfig, type ClusterAccess } from './access.ts';

/** The API of one cluster, seen with the credentials of one environment. */
export interface KubernetesApi {
  core: CoreV1Api;
  apps: AppsV1Api;
  batch: BatchV1Api;
}

/** Opens the API of a cluster; connects at the first call. */
export function openKubernetes(access: ClusterAccess): KubernetesApi {
  const config = toKubeConfig(access);
  return {
    core: config.makeApiClient(CoreV1Api),
    apps: config.makeApiClient(AppsV1Api),
    batch: config.makeApiClient(BatchV1Api),
  };
}

/** A request that got no answer by then counts as a cluster that is away. */
const DEADLINE_MS = 10_000;

/**
 * Makes one request to the API server, and translates its failure.
 *
 * @param doing what is being done, for the message
 */
export async function ask<T>(doing: string, request: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${DEADLINE_MS / 1000} s`));
    }, DEADLINE_MS);
  });
  try {
    return await Promise.race([request(), late]);
  } catch (error) {
    throw translate(doing, error);
  } finally {
    clearTimeout(timer);
  }
}

function translate(doing: string, error: unknown): SlipwayError {
  if (!(error instanceof ApiException)) {
    const reason = networkReason(error);
    return new SlipwayError('cluster-unreachable', `${doing}: ${reason}`, { cause: error });
  }
  const message = bodyMessage(error.body) ?? `HTTP ${error.code}`;
  switch (error.code) {
    case 401:
      return new SlipwayError('cluster-auth', `${doing}: the API server refuses the token`);
    case 403:
      return new SlipwayError('rbac-forbidden', `${doing}: ${message}`);
    case 404:
      return new SlipwayError('namespace-missing', `${doing}: ${message}`);
    default:
      return new SlipwayError('cluster-unreachable', `${doing}: ${message}`);
  }
}

function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return 'the request failed';
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return `${error.message} ${code}`.trim();
}

function bodyMessage(body: unknown): string | undefined {
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
