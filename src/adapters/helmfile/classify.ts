import { SlipwayError, type CauseCode } from '../../domain/errors.ts';
import { plainView } from '../../domain/redact/ansi.ts';
import { refusedByHelmfile } from './gate.ts';

/** Ordered: the first pattern that helm's or helmfile's own words match names the cause. */
const RULES: readonly [RegExp, CauseCode][] = [
  // Before the network's words: a template that ends too early is an "unexpected EOF", too.
  [/parse error (?:at \(|on )|execution error at \(/, 'template-error'],
  // Helm says "cluster unreachable" also of a server that answers and refuses.
  [
    /\bUnauthorized\b|the server has asked for the client to provide credentials|x509: /i,
    'cluster-auth',
  ],
  [
    /connection refused|no such host|i\/o timeout|TLS handshake timeout|server is currently unable|etcdserver: (request timed out|leader changed)|Kubernetes cluster unreachable|connection reset by peer|http2: client connection lost|unexpected EOF/i,
    'cluster-unreachable',
  ],
  [/another operation \(install\/upgrade\/rollback\) is in progress/i, 'helm-locked'],
  [/no space left on device/i, 'disk-full'],
  [/namespaces? "[^"]*" not found|because it is being terminated/i, 'namespace-missing'],
  [/exceeded quota/i, 'quota'],
  [
    /admission webhook .* denied|ValidatingAdmissionPolicy .* denied|violates PodSecurity/i,
    'admission-denied',
  ],
  [/" is invalid: .*(?:immutable|may not change once set)/, 'immutable-field'],
  [/" cannot be handled as an? | is invalid: /, 'template-error'],
  [/is forbidden|Forbidden/, 'rbac-forbidden'],
  [/exists and cannot be imported into the current release/, 'object-taken'],
  [
    /no chart version found|chart ".*" (version ".*" )?not found|no chart name found|repo .* not found|failed to download|failed to fetch \S+ : 404|missing in charts\/ directory|directory \S+\/charts\/\S+ not found|no repository definition for|can't get a valid version|is out of sync with the dependencies/i,
    'chart-unresolved',
  ],
  [
    /Error while decrypting file|required env var|environment variable .* is not set|values file matching .* does not exist/i,
    'values-missing',
  ],
  [
    /error during .*\.gotmpl|template: |parse error|failed to render|execution error at|YAML parse error|in .*: failed to read|values don't meet the specifications|executing ".*" at <|no matches for kind|no releases found that matches|: yaml: line \d|cycle detected|an undefined release|duplicate release|no matches for path|in \S+: open \S+: no such file|encountered empty chart|failed to parse condition|in \S+: yaml: |cannot load values\.yaml|cannot load Chart\.yaml|validation: chart\.metadata|chart requires kubeVersion|release name check failed/i,
    'template-error',
  ],
  [
    /UPGRADE FAILED|INSTALLATION FAILED|failed processing release|apply failed for object|context deadline exceeded|timed out waiting/i,
    'helm-failed',
  ],
];

// The same words of the network mean the chart repository where helm says that it fetches charts.
const CHART_REPOSITORY =
  /is not a valid chart repository|cannot be reached|failed to fetch .*index|could not download chart|failed to perform "\w+" on source(?!.*not found)|GET "[^"]+\/v2\/[^"]+": (?!.*404)/i;
const CHART_REGISTRY_WITHOUT =
  /failed to perform "\w+" on source.*not found|GET "[^"]+\/v2\/[^"]+": .*404/i;

/**
 * Turns a failed helmfile or helm command into an error that says what was being done.
 *
 * @param output its error output as far as it was kept, redacted by the caller
 */
export function helmfileError(doing: string, output: string): SlipwayError {
  const stderr = readable(output);
  const refused = refusedByHelmfile(stderr);
  if (refused) return refused;
  const code = codeOf(stderr);
  return new SlipwayError(code, `${doing}: ${essence(stderr)}`);
}

function codeOf(stderr: string): CauseCode {
  if (CHART_REPOSITORY.test(stderr)) return 'chart-repository-unreachable';
  if (CHART_REGISTRY_WITHOUT.test(stderr)) return 'chart-unresolved';
  return RULES.find(([pattern]) => pattern.test(stderr))?.[1] ?? 'unknown';
}

const LINE_MAX = 2_000;
// The API server quotes the whole value of a field that it refuses, which may be that of a pod.
const QUOTED_VALUE = /Invalid value: (["[{].*["\]}]): /;
const QUOTED_MAX = 120;

/** What programs print may hold a line of megabytes, and bytes that no terminal should see. */
function readable(output: string): string {
  const lines = (plainView(output)?.plain ?? output).split('\n');
  return lines
    .map(withoutLongValue)
    .map((line) => line.slice(0, LINE_MAX).replace(/[^\P{Cc}\t]/gu, ''))
    .join('\n');
}

function withoutLongValue(line: string): string {
  return line.replace(QUOTED_VALUE, (all, value: string) =>
    value.length > QUOTED_MAX ? 'Invalid value: …: ' : all,
  );
}

const NOISE =
  /^(level=|WARNING:|=====|Release "[^"]*" does not exist|COMBINED OUTPUT:|Affected releases|UPDATED RELEASES|NAME\b|COMMAND:|OUTPUT:|STDERR:|STDOUT:|PATH:|ARGS:|ERROR:|EXIT STATUS|\s*\d+: )/;
const TELLING =
  /error|failed|denied|refused|not found|executing|nil pointer|does not exist|environment\(|cycle|duplicate|undefined release|no matches for|no such file|empty chart|yaml: |release "|^- at |^line \d+: |^\S+:\d+:\d+$/i;
// What these announce stands in the line below.
const ANNOUNCING = /^executing ".*" at <.*>:$|^error calling \w+:$/;
const ESSENCE_LINES_MAX = 8;
const ESSENCE_MAX = 1_000;

/** Helm does not say what it was working at, but helmfile shows how it called it. */
function unframed(line: string, service: string | undefined): string {
  const which = service === undefined ? '' : `: release "${service}"`;
  return line.trim().replace(/: command "[^"]*" exited with non-zero status:$/, which);
}

function serviceOf(stderr: string): string | undefined {
  return /^ARGS:\n(?: .*\n)*? +\d+: template \(8 bytes\)\n +\d+: (\S+) \(/m.exec(stderr)?.[1];
}

/** The lines of an error output that name the trouble, without helmfile's frame around them. */
function essence(stderr: string): string {
  // Helmfile shows helm's words twice: what helm printed, and that among all that was printed.
  const service = serviceOf(stderr);
  // Helmfile quotes what it could not read, which people have before them.
  const [said = ''] = stderr.split('\nOffending YAML:\n');
  const lines = [...new Set(said.split('\n').map((line) => unframed(line, service)))];
  const telling = lines.filter((line) => line !== '' && !NOISE.test(line));
  const errors = telling.filter(
    (line, at) => TELLING.test(line) || ANNOUNCING.test(telling[at - 1] ?? ''),
  );
  const chosen = errors.length > 0 ? errors : telling;
  return (
    chosen.slice(-ESSENCE_LINES_MAX).join(' | ').slice(0, ESSENCE_MAX) || 'no reason was given'
  );
}
