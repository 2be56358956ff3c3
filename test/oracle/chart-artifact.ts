import { createHash } from 'node:crypto';

/** One answer of the chart server. */
export interface Served {
  type: string;
  digest: string;
  content: Buffer;
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.cncf.helm.config.v1+json';
const CHART = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';

/** A packaged chart as `helm push` puts it into a registry. */
export function artifactOf(
  name: string,
  version: string,
  content: Buffer,
): { manifest: Served; blobs: Served[] } {
  const config = served(CONFIG, Buffer.from(JSON.stringify({ name, version, apiVersion: 'v2' })));
  const chart = served(CHART, content);
  const reference = ({ type, digest, content: { length } }: Served) => ({
    ...{ mediaType: type, digest, size: length },
  });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: reference(config),
    layers: [reference(chart)],
  });
  return { manifest: served(MANIFEST, Buffer.from(manifest)), blobs: [config, chart] };
}

function served(type: string, content: Buffer): Served {
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  return { type, digest, content };
}
