/**
 * What a package client may see of the user's environment: where to fetch from, through which proxy
 * and which certificates to trust are the user's business. Everything else stays out.
 */
const NAMES = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'LANG', 'LC_ALL'],
  ...['XDG_CONFIG_HOME', 'XDG_CACHE_HOME', 'NETRC'],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'],
  ...['GOPROXY', 'GONOPROXY', 'GOPRIVATE', 'GOSUMDB', 'GONOSUMDB', 'GOINSECURE', 'GOAUTH', 'GOVCS'],
  ...['GOFLAGS', 'GOENV', 'GOROOT', 'GOPATH', 'GOCACHE', 'GOMODCACHE', 'GOTMPDIR'],
];
const PATTERN = /^(PIP_\w+|(https?|no|all)_proxy)$/i;

/** The environment of pip and Go, from the user's own. */
export function packageClientEnv(env: NodeJS.ProcessEnv): Record<string, string> {
  return pick(env, (name) => NAMES.includes(name) || PATTERN.test(name));
}

/** The environment of a tool that is only asked for its version. */
export function probeEnv(env: NodeJS.ProcessEnv): Record<string, string> {
  return pick(env, (name) => ['PATH', 'HOME', 'TMPDIR'].includes(name));
}

function pick(env: NodeJS.ProcessEnv, wanted: (name: string) => boolean): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && wanted(name)) picked[name] = value;
  }
  return picked;
}
