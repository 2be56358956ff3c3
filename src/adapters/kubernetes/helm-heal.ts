import type { V1Secret } from '@kubernetes/client-node';
import { ask, listSecretMetadata, type KubernetesApi } from './client.ts';
import { decodeHelmSecret, encodeHelmPayload } from './helm-secret.ts';

/**
 * Sets a revision that was interrupted to `failed`, so that helm works on the release again. The revision
 * and its history stay. The Secret's resourceVersion makes the server refuse when somebody wrote in between.
 *
 * @param because goes into Helm's own description, for people who look at its history
 */
export async function markHelmRevisionFailed(
  api: KubernetesApi,
  namespace: string,
  release: { service: string; helmRevision: number },
  because: string,
): Promise<void> {
  await rewrite(api, namespace, secretName(release), 'failed', because);
}

/** When a cut connection left two revisions `deployed` (helm#11705), the older ones become superseded. */
export async function supersedeOlderRevisions(
  api: KubernetesApi,
  namespace: string,
): Promise<string[]> {
  const labelSelector = 'owner=helm,status=deployed';
  const items = await ask(`reading the Helm releases in ${namespace}`, () =>
    listSecretMetadata(api, namespace, labelSelector),
  );
  const older = items.filter((secret) =>
    items.some((other) => label(other, 'name') === label(secret, 'name') && isNewer(other, secret)),
  );
  for (const secret of older) {
    const name = secret.metadata?.name ?? '';
    await rewrite(api, namespace, name, 'superseded', 'Superseded by a newer deployed revision');
  }
  return older.map((secret) => `${label(secret, 'name')} revision ${label(secret, 'version')}`);
}

async function rewrite(
  api: KubernetesApi,
  namespace: string,
  name: string,
  status: string,
  because: string,
): Promise<void> {
  const secret = await ask(`reading ${name}`, () =>
    api.core.readNamespacedSecret({ namespace, name }),
  );
  const payload = await decodeHelmSecret(secret);
  payload.info = { ...payload.info, status, description: because };
  secret.data = { ...secret.data, release: await encodeHelmPayload(payload) };
  if (secret.metadata) secret.metadata.labels = { ...secret.metadata.labels, status };
  await ask(`healing ${name}`, () =>
    api.core.replaceNamespacedSecret({ namespace, name, body: secret }),
  );
}

function secretName({ service, helmRevision }: { service: string; helmRevision: number }): string {
  return `sh.helm.release.v1.${service}.v${helmRevision}`;
}

function isNewer(a: V1Secret, b: V1Secret): boolean {
  return Number(label(a, 'version')) > Number(label(b, 'version'));
}

function label(secret: V1Secret, name: string): string {
  return secret.metadata?.labels?.[name] ?? '';
}
