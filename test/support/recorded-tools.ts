import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The real helm and helmfile, which note what they are called with. */
export async function recordTools(folder: string, tools: { helm: string; helmfile: string }) {
  const log = join(folder, 'calls');
  await writeFile(log, '');
  const wrap = async (name: 'helm' | 'helmfile') => {
    const file = join(folder, `recorded-${name}`);
    const script = `#!/bin/sh\nprintf '%s\\n' "${name} $*" >> '${log}'\nexec '${tools[name]}' "$@"\n`;
    await writeFile(file, script, { mode: 0o755 });
    return file;
  };
  return {
    helm: await wrap('helm'),
    helmfile: await wrap('helmfile'),
    /** One line for each call. */
    calls: async () => (await readFile(log, 'utf8')).trim().split('\n'),
  };
}
