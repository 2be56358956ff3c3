import type { V1Secret } from '@kubernetes/client-node';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';

/** What is read of a Helm release as Helm stores it; the rest is kept as it is. */
export interface HelmPayload {
  info?: { status?: string; description?: string; last_deployed?: string };
  chart?: { metadata?: { version?: string } };
  manifest?: string;
  hooks?: { path?: string; manifest?: string; events?: string[] }[];
  apply_method?: string;
}

const unzip = promisify(gunzip);
const zip = promisify(gzip);

/** Reads the release in a Helm Secret: gzipped JSON in base64, which the Secret encodes once more. */
export async function decodeHelmSecret(secret: V1Secret): Promise<HelmPayload> {
  const data = secret.data?.release;
  if (data === undefined) return {};
  const zipped = Buffer.from(Buffer.from(data, 'base64').toString('ascii'), 'base64');
  return JSON.parse((await unzip(zipped)).toString('utf8')) as HelmPayload;
}

/** Writes a release as Helm would. */
export async function encodeHelmPayload(payload: HelmPayload): Promise<string> {
  const zipped = await zip(Buffer.from(JSON.stringify(payload)));
  return Buffer.from(zipped.toString('base64')).toString('base64');
}
