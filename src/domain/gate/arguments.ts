/** Arguments of helm that change how long or how carefully it works, and nothing else. */
const HARMLESS = new Set([
  '--api-versions',
  '--atomic',
  '--cleanup-on-fail',
  '--create-namespace',
  '--dependency-update',
  '--disable-openapi-validation',
  '--dry-run',
  '--hide-notes',
  '--history-max',
  '--include-crds',
  '--kube-version',
  '--no-hooks',
  '--render-subchart-notes',
  '--reset-then-reuse-values',
  '--reset-values',
  '--rollback-on-failure',
  '--server-side',
  '--skip-crds',
  '--skip-tests',
  '--timeout',
  '--wait',
  '--wait-for-jobs',
]);

/** Arguments that lead out of the environment, or hide whose release it is: nothing permits them. */
const NEVER = /^(--kube(?!-version)|--namespace|-n|--labels|--registry-config|--repository-c)/;

/** How an argument of helm is judged. */
export function judgeArgument(argument: string): 'harmless' | 'args' | 'postRenderer' | 'never' {
  // helmfile splits an entry at spaces, so each part counts.
  const flags = argument.split(/\s+/).filter((part) => part.startsWith('-'));
  const names = flags.map((flag) => flag.split('=')[0] ?? flag);
  if (flags.some((flag) => NEVER.test(flag))) return 'never';
  if (names.some((name) => name.startsWith('--post-renderer'))) return 'postRenderer';
  return names.every((name) => HARMLESS.has(name)) ? 'harmless' : 'args';
}
