import { KubeConfig, type RequestContext } from '@kubernetes/client-node';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { SlipwayError } from '../../domain/errors.ts';

/** How one environment's cluster is reached: one server, one namespace, one identity. */
export interface ClusterAccess {
  server: string;
  namespace: string;
  /** PEM text; without it the system's authorities are trusted. */
  certificateAuthority?: string;
  token?: string;
  /** PEM texts, where the imported kubeconfig signs in by certificate. */
  clientCertificate?: { certificate: string; key: string };
}

/** The only context's name; helmfile and helm are told to use no other. */
export const CONTEXT = 'slipway';

const CONNECTIONS_MS = 10_000;

/**
 * Keeps connections from one request to the next: the client library opens a new one for each. A
 * connection may go silent without a word, so they are left for new ones every few seconds.
 */
class PooledKubeConfig extends KubeConfig {
  #connections: { dispatcher: Dispatcher; openedAt: number } | undefined;

  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    await super.applySecurityAuthentication(context);
    // Made for this request, and not connected before it is used.
    const dispatcher = context.getDispatcher();
    if (!dispatcher) return;
    const now = performance.now();
    const known = this.#connections;
    if (known && now - known.openedAt < CONNECTIONS_MS) {
      context.setDispatcher(known.dispatcher);
      return;
    }
    this.#connections = { dispatcher, openedAt: now };
    // Ends when the requests under way have been answered.
    void known?.dispatcher.close().catch(() => undefined);
  }
}

type Dispatcher = NonNullable<ReturnType<RequestContext['getDispatcher']>>;

/** The one-context kubeconfig of an access, without plugins. */
export function toKubeConfig(access: ClusterAccess): KubeConfig {
  const { server, namespace, certificateAuthority, token, clientCertificate } = access;
  const config = new PooledKubeConfig();
  config.loadFromOptions({
    clusters: [
      {
        name: CONTEXT,
        server,
        skipTLSVerify: false,
        ...(certificateAuthority ? { caData: base64(certificateAuthority) } : {}),
      },
    ],
    users: [
      {
        name: CONTEXT,
        ...(token === undefined ? {} : { token }),
        ...(clientCertificate
          ? {
              certData: base64(clientCertificate.certificate),
              keyData: base64(clientCertificate.key),
            }
          : {}),
      },
    ],
    contexts: [{ name: CONTEXT, cluster: CONTEXT, user: CONTEXT, namespace }],
    currentContext: CONTEXT,
  });
  return config;
}

/** Writes the kubeconfig of an access, readable by its owner only. */
export async function writeKubeconfig(file: string, access: ClusterAccess): Promise<void> {
  // The mode is that of a new file only.
  await rm(file, { force: true });
  await writeFile(file, toKubeConfig(access).exportConfig(), { mode: 0o600, flag: 'wx' });
}

/**
 * Reads one context of a person's kubeconfig. Refuses what runs programs (exec, auth providers) or
 * skips verification; the error says which.
 */
export async function readKubeconfig(
  file: string,
  contextName: string,
): Promise<Omit<ClusterAccess, 'namespace'>> {
  const config = new KubeConfig();
  try {
    config.loadFromFile(file);
  } catch (error) {
    refuse(`${file} cannot be read (${error instanceof Error ? error.message : 'no reason'})`);
  }
  const context = config.getContextObject(contextName);
  if (!context) refuse(`${file} has no context "${contextName}"`);
  const cluster = config.getCluster(context.cluster);
  const user = config.getUser(context.user);
  if (!cluster || !user) refuse(`context "${contextName}" of ${file} is incomplete`);
  if (user.exec || user.authProvider) {
    refuse(`user "${user.name}" of ${file} signs in by a plugin; use a token or a certificate`);
  }
  if (cluster.skipTLSVerify) {
    refuse(`cluster "${cluster.name}" of ${file} skips TLS verification; name its authority`);
  }
  const authority = await pem(cluster.caData, cluster.caFile);
  const certificate = await pem(user.certData, user.certFile);
  const key = await pem(user.keyData, user.keyFile);
  if (!user.token && !(certificate && key)) {
    refuse(`user "${user.name}" of ${file} has neither a token nor a certificate with its key`);
  }
  return {
    server: cluster.server,
    ...(authority ? { certificateAuthority: authority } : {}),
    ...(user.token ? { token: user.token } : {}),
    ...(certificate && key ? { clientCertificate: { certificate, key } } : {}),
  };
}

async function pem(data: string | undefined, file: string | undefined) {
  if (data) return Buffer.from(data, 'base64').toString('utf8');
  return file ? readFile(file, 'utf8') : undefined;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function refuse(why: string): never {
  throw new SlipwayError('cluster-auth', `The kubeconfig cannot be used: ${why}.`);
}
