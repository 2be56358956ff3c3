import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { childEnvironment } from '../../../src/adapters/helmfile/environment.ts';
import { findSecretsPlugin } from '../../../src/adapters/helmfile/secrets-plugin.ts';
import { withWorkspace } from '../../../src/adapters/helmfile/workspace.ts';
import { writeFiles } from '../../support/write-files.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-plugin-'));
  await writeFiles(folder, [
    ['plugins/diff/plugin.yaml', 'name: diff\nversion: 3.1.0\n'],
    ['plugins/helm-secrets/plugin.yaml', 'name: "secrets"\nversion: "4.6.5"\n'],
    ['home/.local/share/helm/plugins/old/plugin.yaml', 'name: secrets\nversion: v3.15.0\n'],
    ['others/broken/plugin.yaml', ': not\n: yaml'],
  ]);
  await mkdir(join(folder, 'others/empty'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('the plugin that decrypts', () => {
  test('is found by its name where helm looks for plugins', () => {
    const HELM_PLUGINS = `${join(folder, 'others')}:${join(folder, 'plugins')}`;
    expect(findSecretsPlugin({ HELM_PLUGINS, PATH: '/bin', HOME: '/nowhere' })).toEqual({
      ...{ folder: join(folder, 'plugins/helm-secrets'), command: 'decrypt', searchPath: '/bin' },
    });
  });

  test.skipIf(process.platform === 'darwin')(
    'is found in the home of the user, in an old version too',
    () => {
      const found = findSecretsPlugin({ HOME: join(folder, 'home') });
      expect(found).toMatchObject({ command: 'view' });
      const data = { HELM_DATA_HOME: join(folder, 'home/.local/share/helm'), HOME: '/nowhere' };
      expect(findSecretsPlugin(data)).toEqual(found);
    },
  );

  test('is missed by name', () => {
    const HELM_PLUGINS = join(folder, 'others');
    expect(() => findSecretsPlugin({ HELM_PLUGINS })).toThrow(
      `helm-secrets, which is not installed for this worker (looked in ${HELM_PLUGINS})`,
    );
  });

  test.each<[allow: string[], plugins: string[], path: string]>([
    [['secrets'], ['secrets'], '<bin>:/usr/bin:/bin'],
    [['hooks'], [], '<bin>'],
  ])(
    'is there with the programs it needs only for who allows it: %s',
    async (allow, plugins, path) => {
      const workerEnv = { HELM_PLUGINS: join(folder, 'plugins'), PATH: '/usr/bin:/bin' };
      const place = { dataDir: folder, cluster: 'c', namespace: 'n', name: 'a', allow, workerEnv };
      const tools = { helm: '/bin/false', helmfile: '/bin/false' };
      await withWorkspace({ ...place, tools }, async (workspace) => {
        expect(await readdir(join(workspace.root, 'plugins'))).toEqual(plugins);
        const { PATH } = childEnvironment(workspace, {}, 'dep_1/1');
        expect(PATH?.replace(workspace.bin, '<bin>')).toBe(path);
      });
    },
  );
});
