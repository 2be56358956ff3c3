import { isIP } from 'node:net';

/** What is wrong with a URL, as the end of "<path> …", or undefined. Never repeats the URL: it may hold a password. */
export type UrlFault = string | undefined;

// user@host:path, as git and ssh write it. Neither part may look like an option.
const SCP_LIKE = /^[A-Za-z0-9._][A-Za-z0-9._-]*@[A-Za-z0-9][A-Za-z0-9.-]*:(?!-)[\x21-\x7e]+$/;

/** Judges the URL of a server that is reached over https. */
export function webUrlFault(text: string): UrlFault {
  const url = parseUrl(text);
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') return 'must be an https URL';
  return webFault(url);
}

/** Judges the URL of a repository: https, ssh or user@host:path. */
export function gitUrlFault(text: string): UrlFault {
  if (SCP_LIKE.test(text)) return undefined;
  const url = parseUrl(text);
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return webFault(url);
  if (url?.protocol !== 'ssh:' || !/^[A-Za-z0-9[]/.test(url.hostname)) {
    return 'must be an https URL, an ssh URL or user@host:path';
  }
  if (url.password !== '') return 'has a password in it; use an ssh key';
  return extrasFault(url);
}

/** Judges the URL of a chart repository: https, `oci://`, or http where a company's own network has no other. */
export function chartUrlFault(text: string): UrlFault {
  const url = parseUrl(text);
  if (!url || !['https:', 'http:', 'oci:'].includes(url.protocol)) {
    return 'must be an https or oci URL';
  }
  const hasLogin = url.username !== '' || url.password !== '';
  return hasLogin ? 'has credentials in it; give them as `variables`' : extrasFault(url);
}

function webFault(url: URL): UrlFault {
  if (url.username !== '' || url.password !== '') {
    return 'has credentials in it; give them as a token of its own';
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    return 'must be https; http is for loopback only';
  }
  return extrasFault(url);
}

function extrasFault(url: URL): UrlFault {
  return url.search === '' && url.hash === '' ? undefined : 'must not have a ? or # part';
}

function parseUrl(text: string): URL | undefined {
  // The parser would drop line breaks and tabs, which other readers of the text do not.
  if (!/^[\x21-\x7e]+$/.test(text) || text.includes('\\')) return undefined;
  return URL.parse(text) ?? undefined;
}

function isLoopback(hostname: string): boolean {
  if (hostname === 'localhost' || hostname === '[::1]') return true;
  return isIP(hostname) === 4 && hostname.startsWith('127.');
}
