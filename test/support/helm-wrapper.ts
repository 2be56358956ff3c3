import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ensureTools } from '../../src/adapters/tools/ensure-tools.ts';
import { attemptPids } from '../../src/main/dev/platform-processes.ts';

export interface HelmWrapper {
  /** A cache of tools whose helm is the wrapper. */
  toolsFolder: string;
  /** The wrapper itself. */
  helm: string;
}

/**
 * A helm that is the real one but for what the script does first; `$helm` is the real one there, and `$@`
 * what it was called with.
 */
export async function wrapHelm(folder: string, script: string): Promise<HelmWrapper> {
  const { helm: real } = await ensureTools(['helm']);
  const version = dirname(real);
  const cache = dirname(dirname(version));
  const toolsFolder = join(folder, 'tools');
  await mkdir(join(toolsFolder, 'helm'), { recursive: true });
  const others = (await readdir(cache)).filter((name) => name !== 'helm' && name !== 'lock');
  await Promise.all(others.map((name) => symlink(join(cache, name), join(toolsFolder, name))));
  const helm = join(folder, 'helm-wrapper');
  const text = `#!/bin/sh\nhelm='${real}'\n${script}\nexec "$helm" "$@"\n`;
  await writeFile(helm, text, { mode: 0o755 });
  const receipt = JSON.parse(await readFile(join(version, 'receipt.json'), 'utf8')) as object;
  const place = join(toolsFolder, 'helm', version.slice(dirname(version).length));
  await mkdir(place, { recursive: true });
  const kept = { ...receipt, path: helm, sizeBytes: Buffer.byteLength(text) };
  await writeFile(join(place, 'receipt.json'), JSON.stringify(kept));
  return { toolsFolder, helm };
}

/** The processes of attempts below this folder that run a command of helm or helmfile, such as `upgrade`. */
export function attemptsThat(
  folder: string,
  program: 'helm' | 'helmfile',
  command: string,
): number[] {
  return attemptPids(folder).filter((pid) => {
    try {
      const [file = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return file.endsWith(`/${program}`) && args.includes(command);
    } catch {
      // It ended meanwhile.
      return false;
    }
  });
}
