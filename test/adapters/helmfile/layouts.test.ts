import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Evaluations } from '../../../src/adapters/helmfile/evaluations.ts';
import { Helmfile } from '../../../src/adapters/helmfile/helmfile.ts';
import { withWorkspace } from '../../../src/adapters/helmfile/workspace.ts';
import { ensureTools } from '../../../src/adapters/tools/ensure-tools.ts';
import { createGrowingRedactor } from '../../../src/domain/redact/growing.ts';

let folder: string;
let tools: { helm: string; helmfile: string };
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-layouts-'));
  tools = await ensureTools(['helm', 'helmfile']);
});
afterAll(() => rm(folder, { recursive: true }));

const NOTHING = 'environments: { cs-dev: {} }\n---\nreleases: []\n';

test('an environment in which nothing is declared has no services', async () => {
  expect(await declaredIn('cs-dev')).toEqual([]);
});

test('an environment that no helmfile knows is an error, and not one without services', async () => {
  await expect(declaredIn('cs-qa')).rejects.toMatchObject({ code: 'template-error' });
});

/** What a real helmfile says that is declared. */
function declaredIn(environment: string) {
  const place = { dataDir: folder, cluster: 'c', namespace: 'n', name: 'a', tools };
  return withWorkspace(place, async (workspace) => {
    await writeFile(join(workspace.tree, 'helmfile.yaml'), NOTHING);
    const running = { workspace, environment, namespace: 'n', kubeContext: 'k', attempt: 'd/1' };
    const others = {
      variables: {},
      redactor: createGrowingRedactor([]),
      evaluations: new Evaluations(),
    };
    return new Helmfile({ ...running, ...others }).declared();
  });
}
