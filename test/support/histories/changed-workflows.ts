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
  return {
    loadBundle: ((await import(module)) as BundleModule).loadWorkflowBundle,
    /** Replaces text in a file, which must be there. */
    edit: async (file: string, from: string, to: string) => {
      const path = join(folder, file);
      const text = await readFile(path, 'utf8');
      if (!text.includes(from)) throw new Error(`${file} does not say: ${from}`);
      await writeFile(
        path,
        text.replace(from, () => to),
      );
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
