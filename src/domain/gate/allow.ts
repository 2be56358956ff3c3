/**
 * What `allow` of an environment can permit, with what becomes possible by it; everything else that the
 * gate refuses stays refused.
 */
export const ALLOWABLE = {
  hooks: 'hooks of helmfile, which are commands',
  secrets: 'files below secrets, which programs of the worker decrypt for the plugin helm-secrets',
  readFile: 'readFile, readDir and readDirEntries in templates',
  exec: 'exec and envExec in templates, which are commands',
  remote: 'bases, helmfiles, values and charts fetched from elsewhere',
  args: 'arguments of helm beyond the harmless ones',
  postRenderer: 'post-renderers, which are commands',
  transformers: 'changing manifests by Kustomize transformers',
  strategicMergePatches: 'changing manifests by strategic merge patches',
  jsonPatches: 'changing manifests by JSON patches',
  kubedog: 'trackMode: kubedog, which may wait for hours',
  unverified: 'verify: false where charts are verified by default',
  skipTLS: 'chart repositories whose certificate is not checked',
  llm: 'the llm section of helmfile',
} as const;

/** Providers of vals that run commands, or read the worker's disk, environment or network. */
const NEVER = ['exec', 'file', 'envsubst', 'httpjson', 'tfstate'];

/** An entry of `allow`: a key of {@link ALLOWABLE} or `ref+<provider>`. */
export const ALLOW_PATTERN = `^(${Object.keys(ALLOWABLE).join('|')}|ref\\+(?!(${NEVER.join('|')})$)[a-z0-9]+)$`;

/** The entry that permits references to a provider; nothing permits some. */
export function allowOfProvider(provider: string): string | undefined {
  return NEVER.includes(provider) ? undefined : `ref+${provider}`;
}
