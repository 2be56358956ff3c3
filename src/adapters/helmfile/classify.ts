import { SlipwayError, type CauseCode } from '../../domain/errors.ts';

/** Ordered: the first pattern that helm's or helmfile's own words match names the cause. */
const RULES: readonly [RegExp, CauseCode][] = [
  [
    /connection refused|no such host|i\/o timeout|TLS handshake timeout|server is currently unable|etcdserver: (request timed out|leader changed)|Kubernetes cluster unreachable|connection reset by peer|http2: client connection lost|unexpected EOF/i,
    'cluster-unreachable',
  ],
  [/another operation \(install\/upgrade\/rollback\) is in progress/i, 'helm-locked'],
  [/namespaces? "[^"]*" not found/i, 'namespace-missing'],
  [/exceeded quota/i, 'quota'],
  [/admission webhook .* denied|violates PodSecurity/i, 'admission-denied'],
  [/is forbidden|Forbidden/, 'rbac-forbidden'],
  [/\bUnauthorized\b|the server has asked for the client to provide credentials/i, 'cluster-auth'],
  [
    /no chart version found|chart ".*" (version ".*" )?not found|no chart name found|repo .* not found|failed to download/i,
    'chart-unresolved',
  ],
  [/required env var|environment variable .* is not set/i, 'values-missing'],
  [
    /error during .*\.gotmpl|template: |parse error|failed to render|execution error at|YAML parse error|in .*: failed to read|values don't meet the specifications/i,
    'template-error',
  ],
  [
    /UPGRADE FAILED|INSTALLATION FAILED|failed processing release|context deadline exceeded|timed out waiting/i,
    'helm-failed',
  ],
];

// The same words of the network mean the chart repository where helm says that it fetches charts.
const CHART_REPOSITORY =
  /is not a valid chart repository|cannot be reached|failed to fetch .*index|could not download chart/i;

/**
 * Turns a failed helmfile or helm command into an error that says what was being done.
 *
 * @param stderr the end of its error output, redacted by the caller
 */
export function helmfileError(doing: string, stderr: string): SlipwayError {
  const code = CHART_REPOSITORY.test(stderr)
    ? 'chart-repository-unreachable'
    : (RULES.find(([pattern]) => pattern.test(stderr))?.[1] ?? 'unknown');
  return new SlipwayError(code, `${doing}: ${essence(stderr)}`);
}

const NOISE =
  /^(Affected releases|UPDATED RELEASES|NAME\b|COMMAND:|OUTPUT:|STDERR:|STDOUT:|PATH:|ARGS:|ERROR:|EXIT STATUS|\s*\d+: )/;
const ESSENCE_MAX = 800;

/** The lines of an error output that name the trouble, without helmfile's frame around them. */
function essence(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  const telling = lines.filter((line) => line !== '' && !NOISE.test(line));
  const errors = telling.filter((line) => /error|failed|denied|refused|not found/i.test(line));
  const chosen = errors.length > 0 ? errors : telling;
  return chosen.slice(-4).join(' | ').slice(0, ESSENCE_MAX) || 'no reason was given';
}
