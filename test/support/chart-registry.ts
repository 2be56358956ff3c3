import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';

/** A chart as a registry has it. */
export interface PublishedChart {
  /** Such as `charts/api`. */
  name: string;
  version: string;
  /** What `helm package` made. */
  content: Buffer;
}

export interface ChartRegistry {
  /** With its port. */
  host: string;
  stop: () => Promise<void>;
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/**
 * An OCI registry over https that gives charts to whom knows the login. Its certificate is that of a control
 * plane of kwokctl.
 *
 * @param caFile of the control plane; its other files lie beside it
 */
export async function startChartRegistry(
  caFile: string,
  login: { username: string; password: string },
  charts: readonly PublishedChart[],
): Promise<ChartRegistry> {
  const [key, cert] = await Promise.all(
    ['admin.key', 'admin.crt'].map((name) => readFile(join(dirname(caFile), name))),
  );
  const served = new Map<string, { type: string; body: Buffer }>();
  for (const chart of charts) publish(served, chart);
  const expected = `Basic ${btoa(`${login.username}:${login.password}`)}`;
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    if (request.headers.authorization !== expected) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="charts"' }).end();
      return;
    }
    const found = served.get((request.url ?? '').replace(/\?.*$/, ''));
    if (!found) {
      response.writeHead(404).end();
      return;
    }
    const { type, body } = found;
    const headers = { 'content-type': type, 'docker-content-digest': digestOf(body) };
    response.writeHead(200, { ...headers, 'content-length': body.length });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
  const server = createServer({ key, cert }, handle);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function publish(
  served: Map<string, { type: string; body: Buffer }>,
  { name, version, content }: PublishedChart,
): void {
  const config = Buffer.from(
    JSON.stringify({ apiVersion: 'v2', name: name.split('/').at(-1), version }),
  );
  const blob = (mediaType: string, body: Buffer) => {
    served.set(`/v2/${name}/blobs/${digestOf(body)}`, { type: 'application/octet-stream', body });
    return { mediaType, digest: digestOf(body), size: body.length };
  };
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: blob('application/vnd.cncf.helm.config.v1+json', config),
      layers: [blob('application/vnd.cncf.helm.chart.content.v1.tar+gzip', content)],
    }),
  );
  for (const reference of [version, digestOf(manifest)]) {
    served.set(`/v2/${name}/manifests/${reference}`, { type: MANIFEST, body: manifest });
  }
  const tags = Buffer.from(JSON.stringify({ name, tags: [version] }));
  served.set(`/v2/${name}/tags/list`, { type: 'application/json', body: tags });
  served.set('/v2/', { type: 'application/json', body: Buffer.from('{}') });
}

function digestOf(body: Buffer): string {
  return `sha256:${createHash('sha256').update(body).digest('hex')}`;
}
