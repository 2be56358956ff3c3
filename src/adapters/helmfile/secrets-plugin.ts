import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { parse } from 'yaml';
import { SlipwayError } from '../../domain/errors.ts';

/** The helm-secrets plugin, as it is installed for the user whom the worker runs as. */
export interface SecretsPlugin {
  folder: string;
  /** The plugin's command that prints a file decrypted; helmfile too tells it by the version. */
  command: 'decrypt' | 'view';
  /** Where its scripts find the shell and what decrypts, such as sops: the worker's own PATH. */
  searchPath: string;
}

/**
 * Finds the plugin where helm itself would. Throws `tool-missing` where there is none.
 *
 * @param env of the worker
 */
export function findSecretsPlugin(env: NodeJS.ProcessEnv): SecretsPlugin {
  const folders = pluginFolders(env);
  for (const place of folders) {
    for (const name of namesIn(place)) {
      const folder = join(place, name);
      const manifest = readManifest(join(folder, 'plugin.yaml'));
      if (manifest?.name !== 'secrets') continue;
      const major = Number(/^v?(\d+)/.exec(String(manifest.version))?.[1] ?? 0);
      return {
        folder: realpathSync(folder),
        command: major > 3 ? 'decrypt' : 'view',
        searchPath: env.PATH ?? '/usr/bin:/bin',
      };
    }
  }
  throw new SlipwayError(
    'tool-missing',
    `\`allow: [secrets]\` needs the Helm plugin helm-secrets, which is not installed for this worker (looked in ${folders.join(', ')}).`,
  );
}

function pluginFolders(env: NodeJS.ProcessEnv): string[] {
  if (env.HELM_PLUGINS) return env.HELM_PLUGINS.split(delimiter).filter((folder) => folder !== '');
  const home = env.HOME ?? '/root';
  const ofUser = process.platform === 'darwin' ? join(home, 'Library') : join(home, '.local/share');
  return [join(env.HELM_DATA_HOME ?? join(env.XDG_DATA_HOME ?? ofUser, 'helm'), 'plugins')];
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function readManifest(file: string): { name?: unknown; version?: unknown } | undefined {
  try {
    return (parse(readFileSync(file, 'utf8')) ?? undefined) as { name?: unknown } | undefined;
  } catch {
    return undefined;
  }
}
