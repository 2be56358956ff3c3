import { ApiException, CoreV1Api, CustomObjectsApi } from '@kubernetes/client-node';
import { toKubeConfig, type ClusterAccess } from './access.ts';
import { ask } from './client.ts';

/**
 * Which kinds a cluster serves, as `apiVersion kind`, of the API versions that are asked for. Those that
 * it does not serve have none.
 */
export async function servedKinds(
  access: ClusterAccess,
  apiVersions: ReadonlySet<string>,
): Promise<Set<string>> {
  const config = toKubeConfig(access);
  const core = config.makeApiClient(CoreV1Api);
  const others = config.makeApiClient(CustomObjectsApi);
  const served = new Set<string>();
  for (const apiVersion of apiVersions) {
    const [group = '', version] = apiVersion.split('/');
    const list = () =>
      version === undefined
        ? core.getAPIResources()
        : others.getAPIResources({ group, version }).catch(noneIfUnknown);
    const { resources } = await ask(`asking what ${apiVersion} has`, list);
    for (const { kind } of resources) served.add(`${apiVersion} ${kind}`);
  }
  return served;
}

function noneIfUnknown(error: unknown): { resources: { kind: string }[] } {
  if (error instanceof ApiException && error.code === 404) return { resources: [] };
  throw error;
}
