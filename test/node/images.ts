import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../src/adapters/process/run.ts';
import { nodeEnv } from './requirements.ts';

const APPLETS = 'sh cat echo sleep ls true false test touch tail httpd nc env kill mkdir'.split(
  ' ',
);
const ARCHITECTURES: Partial<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

export const PAUSE_IMAGE = 'example.test/pause:1';
/** The one image that containers of the tests run: a shell and a few programs. */
export const APP_IMAGE = 'example.test/app:1';

/** Makes the images, with busybox as their only content, in the form that `ctr images import` reads. */
export async function makeImages(folder: string): Promise<string[]> {
  return [
    await makeImage(join(folder, 'pause'), PAUSE_IMAGE, ['/bin/sleep', 'inf']),
    await makeImage(join(folder, 'app'), APP_IMAGE, ['/bin/sh']),
  ];
}

async function makeImage(folder: string, name: string, command: string[]): Promise<string> {
  const root = join(folder, 'rootfs');
  for (const each of ['bin', 'tmp', 'etc', 'proc', 'sys', 'dev']) {
    await mkdir(join(root, each), { recursive: true });
  }
  await copyFile('/bin/busybox', join(root, 'bin/busybox'));
  await Promise.all(APPLETS.map((applet) => symlink('busybox', join(root, 'bin', applet))));
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\n');
  await writeFile(join(root, 'etc/image'), `${name}\n`);
  await tar(['-C', root, '-cf', join(folder, 'layer.tar'), '.']);
  const layer = await readFile(join(folder, 'layer.tar'));
  const digest = createHash('sha256').update(layer).digest('hex');
  const config = {
    ...{ architecture: ARCHITECTURES[process.arch] ?? process.arch, os: 'linux' },
    config: { Env: ['PATH=/bin'], Cmd: command },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
  };
  const manifest = [{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }];
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const file = `${folder}.tar`;
  await tar(['-C', folder, '-cf', file, 'manifest.json', 'config.json', 'layer.tar']);
  await rm(folder, { recursive: true });
  return file;
}

async function tar(args: string[]): Promise<void> {
  const result = await run('/usr/bin/tar', args, { env: nodeEnv(), timeoutMs: 60_000 });
  if (result.exitCode !== 0) throw new Error(`tar: ${result.stderr}`);
}
