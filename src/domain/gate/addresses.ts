import { isRemote } from './paths.ts';

const HOST = /^[a-z0-9+.-]+:\/\/(?:[^@/?#]*@)?(\[[^\]]*\]|[^:/?#]*)/i;
const METADATA =
  /^(169\.254\.|\[?fe80:|\[?fd00:ec2::254|\[?::ffff:169\.254\.|100\.100\.100\.200$|metadata(\.google\.internal)?\.?$)/i;
/** A number in place of a dotted address is written for no other reason than to hide it. */
const DISGUISED = /^(0x[0-9a-f]+|[0-9]+|0[0-7x][0-9a-fx.]*)$/i;

/** Why a URL of charts is never opened, where it is not. */
export function addressFault(url: string): string | undefined {
  if (/^file:/i.test(url)) return 'leaves the repository';
  const host = HOST.exec(url)?.[1] ?? '';
  return METADATA.test(host) || DISGUISED.test(host)
    ? 'is an address of the machine that Slipway runs on'
    : undefined;
}

/** How the chart of a release is named. */
export function chartKind(chart: string): 'registry' | 'remote' | 'path' | 'repository' {
  if (/^oci:\/\//i.test(chart)) return 'registry';
  if (isRemote(chart)) return 'remote';
  const isPath = /^[./]/.test(chart) || chart.split('/').includes('..');
  return isPath ? 'path' : 'repository';
}
