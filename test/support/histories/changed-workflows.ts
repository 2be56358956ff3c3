import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { loadWorkflowBundle } from '../../../src/adapters/temporal/workflow-bundle.ts';

const ROOT = join(import.meta.dirname, '../../..');
const COPIED = [
  'dist/workflows',
  'package-lock.json',
  'src/adapters/temporal/workflow-bundle.ts',
  'src/contract/workflow',
  'src/domain',
  'workflows',
];

const DEPLOYMENT = 'workflows/deployment.ts';
const ATTEMPT_BEGINS = 'progress.beginAttempt();';
const PAUSE = 'await sleep(1);';

interface BundleModule {
  loadWorkflowBundle: typeof loadWorkflowBundle;
}

/** A copy of the workflows that a test may change, with the bundle that was built of them as they were. */
export async function copyWorkflows() {
  await mkdir(join(ROOT, '.slipway'), { recursive: true });
  // Below the root, so that the packages are found from there too.
  const folder = await mkdtemp(join(ROOT, '.slipway', 'workflows-'));
  for (const path of COPIED) {
    await cp(join(ROOT, path), join(folder, path), { recursive: true });
  }
  const module = pathToFileURL(join(folder, 'src/adapters/temporal/workflow-bundle.ts')).href;
  const edit = async (file: string, from: string, to: string) => {
    const path = join(folder, file);
    const text = await readFile(path, 'utf8');
    if (!text.includes(from)) throw new Error(`${file} does not say: ${from}`);
    await writeFile(
      path,
      text.replace(from, () => to),
    );
  };
  return {
    loadBundle: ((await import(module)) as BundleModule).loadWorkflowBundle,
    /** Lets every attempt of a deployment begin with a pause, which changes what the workflow commands. */
    addPause: () => edit(DEPLOYMENT, ATTEMPT_BEGINS, `${ATTEMPT_BEGINS}\n${PAUSE}`),
    /** Lets only new deployments do so. */
    patchPause: async () => {
      await edit(DEPLOYMENT, PAUSE, `if (patched('pause')) ${PAUSE}`);
      await edit(DEPLOYMENT, ' sleep }', ' patched, sleep }');
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
