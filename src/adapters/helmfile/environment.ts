import { join } from 'node:path';
import type { Workspace } from './workspace.ts';

/**
 * helmfile lives for less than a second, a quarter of which went into collecting garbage: it may hold more
 * of it, within a bound.
 */
const GARBAGE = { GOGC: '400', GOMEMLIMIT: '512MiB' };

/**
 * The whole environment of helmfile and of the helms that it starts. What is not in it cannot leak into
 * a template; helmfile's own switches against insecure features are on unless `allow` lifts them.
 *
 * @param variables the environment's `variables` of slipway.yaml
 * @param attempt marks the processes of an attempt, so that leftovers can be found
 */
export function childEnvironment(
  workspace: Workspace,
  variables: Readonly<Record<string, string>>,
  attempt: string,
): Record<string, string> {
  const { root, helmHome, bin, secretsPlugin } = workspace;
  const allows = (...entries: string[]) => entries.some((entry) => workspace.allow.includes(entry));
  // helmfile has one switch for exec and readFile, and another that holds back both and remote sources.
  const functions = allows('exec', 'readFile');
  return {
    ...GARBAGE,
    ...variables,
    PATH: secretsPlugin ? `${bin}:${secretsPlugin.searchPath}` : bin,
    HOME: join(root, 'home'),
    TMPDIR: join(root, 'tmp'),
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    NO_COLOR: '1',
    SLIPWAY_ATTEMPT: attempt,
    HELMFILE_DISABLE_INSECURE_FEATURES: String(!functions && !allows('remote')),
    HELMFILE_DISABLE_INSECURE_TEMPLATE_FUNCTIONS: String(!functions),
    HELMFILE_DISABLE_HOOKS: String(!allows('hooks')),
    HELMFILE_HELM_BINARY: join(bin, 'helm'),
    HELMFILE_KUSTOMIZE_BINARY: join(bin, 'kustomize-denied'),
    HELMFILE_TEMPDIR: join(root, 'hf'),
    HELMFILE_CACHE_HOME: join(root, 'cache'),
    HELMFILE_UPGRADE_NOTICE_DISABLED: '1',
    HELMFILE_AWS_SDK_LOG_LEVEL: 'off',
    HELMFILE_VALS_FAIL_ON_MISSING_KEY_IN_MAP: 'true',
    HELM_CACHE_HOME: join(helmHome, 'cache'),
    HELM_CONFIG_HOME: join(helmHome, 'config'),
    HELM_DATA_HOME: join(helmHome, 'data'),
    HELM_PLUGINS: join(root, 'plugins'),
    HELM_DRIVER: 'secret',
    KUBECONFIG: workspace.kubeconfig,
    KUBERC: 'off',
  };
}
