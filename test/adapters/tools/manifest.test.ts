import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { defaultContext } from '../../../src/adapters/tools/context.ts';
import { GO_MODULES, TOOL_NAMES, TOOLS } from '../../../src/adapters/tools/manifest.ts';
import { isAccepted } from '../../../src/adapters/tools/versions.ts';

test.each(TOOL_NAMES)('%s: the sources bring the version that the manifest names', async (name) => {
  const { version, sources } = TOOLS[name];
  for (const source of sources) {
    if (source.kind === 'wheel') {
      expect(Object.values(source.sha256).join()).toMatch(/^[0-9a-f]{64}(,[0-9a-f]{64})*$/);
      continue;
    }
    const { projectFolder } = defaultContext({});
    const folder = GO_MODULES[source.module]?.folder ?? '';
    const goMod = await readFile(join(projectFolder, folder, 'go.mod'), 'utf8');
    const required = [...goMod.matchAll(/^\t(\S+) (v\S+)/gm)]
      .map(([, path = '', pinned = '']) => ({ path, pinned }))
      .find(({ path }) => source.package === path || source.package.startsWith(`${path}/`));
    expect(required?.pinned).toBe(`v${version}`);
  }
});

test.each(TOOL_NAMES)('%s: its own version is one that is accepted on PATH', (name) => {
  const { version, accepts } = TOOLS[name];
  expect(accepts === undefined || isAccepted(version, accepts)).toBe(true);
});

test('the cache is outside of the work tree, where the user wants caches', () => {
  const cache = (env: NodeJS.ProcessEnv) => defaultContext(env).cacheFolder;
  expect(cache({ HOME: '/home/me' })).toBe('/home/me/.cache/slipway/tools');
  expect(cache({ HOME: '/home/me', XDG_CACHE_HOME: '/cache' })).toBe('/cache/slipway/tools');
  expect(cache({ HOME: '/home/me', SLIPWAY_TOOLS_DIR: '/opt/tools' })).toBe('/opt/tools');
});
