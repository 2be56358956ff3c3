import { bundleWorkflowCode, DefaultLogger, type WorkflowBundleOption } from '@temporalio/worker';
import { createHash } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FOLDER = join(ROOT, 'dist', 'workflows');

/** All that a bundle is made of; dependency-cruiser lets workflows import nothing else. */
const SOURCES = ['workflows', 'src/domain', 'src/contract/workflow'];
const PACKAGES = 'package-lock.json';

/**
 * The code of the workflows as workers take it: what {@link buildWorkflowBundle} left for just these
 * sources, else bundled now, which takes seconds. A bundle of other sources is never taken, because the
 * name of its file is a hash of what it was made of.
 */
export async function loadWorkflowBundle(): Promise<WorkflowBundleOption> {
  const codePath = await bundleFile();
  return (await exists(codePath)) ? { codePath } : bundle();
}

/** Writes the bundle of the sources as they are now, removes those of others, and returns its file. */
export async function buildWorkflowBundle(): Promise<string> {
  const file = await bundleFile();
  if (await exists(file)) return file;
  const { code } = await bundle();
  await mkdir(FOLDER, { recursive: true });
  const others = (await readdir(FOLDER)).filter((name) => name.endsWith('.js'));
  for (const other of others) await rm(join(FOLDER, other), { force: true });
  const part = `${file}.${process.pid}`;
  await writeFile(part, code);
  await rename(part, file);
  return file;
}

function bundle() {
  const workflowsPath = join(ROOT, 'workflows', 'index.ts');
  return bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
}

async function bundleFile(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of [PACKAGES, ...(await sourceFiles())]) {
    const bytes = await readFile(join(ROOT, file));
    hash.update(`${file}\0${bytes.length}\0`).update(bytes);
  }
  return join(FOLDER, `${hash.digest('hex')}.js`);
}

async function sourceFiles(): Promise<string[]> {
  const found: string[] = [];
  for (const folder of SOURCES) {
    for (const name of await readdir(join(ROOT, folder), { recursive: true })) {
      if (name.endsWith('.ts')) found.push(join(folder, name));
    }
  }
  return found.sort();
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
