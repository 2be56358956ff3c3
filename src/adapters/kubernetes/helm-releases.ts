import type { V1Secret } from '@kubernetes/client-node';
import { STAMP } from '../../contract/stamp.ts';
import { BoundedMap } from '../../domain/bounded-map.ts';
import { SlipwayError } from '../../domain/errors.ts';
import type { HelmReleaseFacts } from '../../domain/services.ts';
import { ask, listSecretMetadata, type KubernetesApi } from './client.ts';
import { decodeHelmSecret } from './helm-secret.ts';
import { releasedObjects, type ReleasedObject } from './inventory.ts';

export interface HelmRelease extends HelmReleaseFacts {
  /** Helm 4 records whether it applied on the server's side. */
  serverSide: boolean;
  /** Since this revision last changed, in milliseconds of this machine's clock. */
  ageMs: number;
  /** What of it has a rollout, and when the revision was made. */
  objects?: readonly ReleasedObject[];
  since?: Date;
}

/**
 * The newest revision of each Helm release in a namespace, from the Secrets that Helm keeps. Asks for
 * their labels alone, and for the content of those only that changed since they were read before.
 */
export async function listHelmReleases(
  api: KubernetesApi,
  namespace: string,
): Promise<HelmRelease[]> {
  // Superseded revisions are never the newest, and there are many.
  const labelSelector = 'owner=helm,status!=superseded';
  const secrets = await ask(reading(namespace), () =>
    listSecretMetadata(api, namespace, labelSelector),
  );
  const newest = newestOf(secrets);
  const unread = [...newest].filter(([, secret]) => !contents.has(secret)).map(([name]) => name);
  const read = await newestSecrets(api, namespace, labelSelector, unread);
  for (const name of unread) {
    const secret = read.get(name);
    if (secret) newest.set(name, secret);
    // Gone since the first answer.
    else newest.delete(name);
  }
  return Promise.all([...newest.values()].map(readRelease));
}

/** Every revision that Helm still has of these services. */
export async function listHelmHistory(
  api: KubernetesApi,
  namespace: string,
  services: readonly string[],
): Promise<HelmReleaseFacts[]> {
  const secrets = await listSecretsOf(api, namespace, 'owner=helm', services);
  return Promise.all(secrets.map(readRelease));
}

// A selector is part of a URL, whose length API servers and what stands before them limit.
const NAMES_MAX = 100;

/** The manifests of these services' newest revisions as Helm has them, with hooks but without tests. */
export async function readManifests(
  api: KubernetesApi,
  namespace: string,
  services: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const newest = await newestSecrets(api, namespace, 'owner=helm,status!=superseded', services);
  const manifests = [...newest].map(
    async ([name, secret]) => [name, await readManifest(secret)] as const,
  );
  return new Map(await Promise.all(manifests));
}

function namesInChunks(services: readonly string[]): string[] {
  const chunks: string[] = [];
  for (let at = 0; at < services.length; at += NAMES_MAX) {
    chunks.push(services.slice(at, at + NAMES_MAX).join(','));
  }
  return chunks;
}

async function readManifest(secret: V1Secret): Promise<string> {
  const { manifest = '', hooks = [] } = await decodeHelmSecret(secret);
  const applied = hooks.filter(({ events = [] }) => !events.some((event) => /^test/.test(event)));
  const texts = applied.map((hook) => `---\n# Source: ${hook.path ?? ''}\n${hook.manifest ?? ''}`);
  return [manifest, ...texts].join('\n');
}

async function newestSecrets(
  api: KubernetesApi,
  namespace: string,
  labelSelector: string,
  services: readonly string[],
): Promise<ReadonlyMap<string, V1Secret>> {
  return newestOf(await listSecretsOf(api, namespace, labelSelector, services));
}

function newestOf(secrets: readonly V1Secret[]): Map<string, V1Secret> {
  const newest = new Map<string, V1Secret>();
  for (const secret of secrets) {
    const name = label(secret, 'name');
    const known = newest.get(name);
    if (!known || revision(secret) > revision(known)) newest.set(name, secret);
  }
  return newest;
}

async function listSecretsOf(
  api: KubernetesApi,
  namespace: string,
  labelSelector: string,
  services: readonly string[],
): Promise<V1Secret[]> {
  const chunks = namesInChunks(services).map((names) =>
    listSecrets(api, namespace, `${labelSelector},name in (${names})`),
  );
  return (await Promise.all(chunks)).flat();
}

async function listSecrets(
  api: KubernetesApi,
  namespace: string,
  labelSelector: string,
): Promise<V1Secret[]> {
  const { items } = await ask(reading(namespace), () =>
    api.core.listNamespacedSecret({ namespace, labelSelector }),
  );
  return items;
}

function reading(namespace: string): string {
  return `reading the Helm releases in ${namespace}`;
}

/**
 * Throws `namespace-missing` when the namespace is not there or is being deleted, `cluster-*` when nobody can say. A token that
 * may not read the namespace itself, only what is in it, goes on: what it does there will tell.
 */
export async function checkNamespace(api: KubernetesApi, namespace: string): Promise<void> {
  try {
    const { status } = await ask(
      `looking for namespace ${namespace}`,
      () => api.core.readNamespace({ name: namespace }),
      'namespace-missing',
    );
    if (status?.phase === 'Terminating') {
      throw new SlipwayError(
        'namespace-missing',
        `Namespace "${namespace}" is being deleted: nothing can be created in it.`,
      );
    }
  } catch (error) {
    if (!(error instanceof SlipwayError) || error.code !== 'rbac-forbidden') throw error;
  }
}

async function readRelease(secret: V1Secret): Promise<HelmRelease> {
  const content = contents.get(secret) ?? contents.keep(secret, await readContent(secret));
  const deploymentId = secret.metadata?.labels?.[STAMP.deployment];
  const attempt = secret.metadata?.labels?.[STAMP.attempt];
  return {
    ...content,
    service: label(secret, 'name'),
    helmRevision: revision(secret),
    status: label(secret, 'status'),
    ageMs: Date.now() - changedAt(secret),
    since: secret.metadata?.creationTimestamp ?? new Date(0),
    ...(deploymentId === undefined ? {} : { deploymentId }),
    ...(attempt === undefined ? {} : { attempt: Number(attempt) }),
  };
}

/** What the labels of a revision do not say. */
type RevisionContent = Pick<HelmRelease, 'description' | 'chartVersion' | 'serverSide' | 'objects'>;

async function readContent(secret: V1Secret): Promise<RevisionContent> {
  const payload = await decodeHelmSecret(secret);
  return {
    description: payload.info?.description ?? '',
    chartVersion: payload.chart?.metadata?.version ?? '',
    serverSide: payload.apply_method === 'ssa',
    objects: releasedObjects(payload),
  };
}

const CONTENTS_MAX = 5_000;

/** What was read of revisions before, for as long as nobody has changed them. */
class RevisionContents {
  /** A revision that is looked at again after that many others is read again. */
  readonly #known = new BoundedMap<string, RevisionContent>(CONTENTS_MAX);

  has(secret: V1Secret): boolean {
    return this.get(secret) !== undefined;
  }

  get({ metadata }: V1Secret): RevisionContent | undefined {
    return this.#known.get(key(metadata));
  }

  keep({ metadata }: V1Secret, content: RevisionContent): RevisionContent {
    this.#known.set(key(metadata), content);
    return content;
  }
}

/** Unique in all clusters: Kubernetes makes the uid at random. */
function key(metadata: V1Secret['metadata']): string {
  return `${metadata?.uid ?? ''} ${metadata?.resourceVersion ?? ''}`;
}

const contents = new RevisionContents();

function label(secret: V1Secret, name: string): string {
  return secret.metadata?.labels?.[name] ?? '';
}

function revision(secret: V1Secret): number {
  return Number(label(secret, 'version'));
}

/** Helm labels a Secret with the time of its last change, in seconds; new ones have only their creation. */
function changedAt(secret: V1Secret): number {
  const modified = Number(secret.metadata?.labels?.['modifiedAt']);
  if (modified > 0) return modified * 1_000;
  return secret.metadata?.creationTimestamp?.getTime() ?? 0;
}
