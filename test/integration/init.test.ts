import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../src/adapters/process/run.ts';
import { ReleaseLab } from '../support/released-environment.ts';

const CLI = join(import.meta.dirname, '../../src/main/cli.ts');

let lab: ReleaseLab;
let folder: string;
beforeAll(async () => {
  lab = await ReleaseLab.start();
  folder = await mkdtemp(join(tmpdir(), 'slipway-init-'));
});
afterAll(async () => {
  await lab.stop();
  await rm(folder, { recursive: true, force: true });
});

test('what slipway init makes deploys as it is, to each of its environments', async () => {
  const made = await run(
    process.execPath,
    [
      ...[CLI, 'init', folder, '--yes', '--url', 'https://git.example.org/deployments.git'],
      ...['--chart-repository', `charts=${lab.charts.url}`],
      ...['--version-value', 'generic-service.version'],
      ...['--service', 'example-api:2.4.1=charts/example-api@^1.0.0'],
      ...['--service', 'example-worker:2.1.7=charts/example-worker@^1.0.0'],
      ...['--cluster', 'local=https://kube.example.org'],
      ...['--environment', 'cs-new=new', '--environment', 'wcs-new=new'],
    ],
    { env: { PATH: process.env.PATH ?? '', HOME: folder } },
  );
  expect(made.exitCode, made.stderr).toBe(0);
  const files = await content(folder);
  for (const name of ['cs-new', 'wcs-new']) {
    const environment = await lab.environment(name, files);
    const { plan, end, log } = await environment.release();
    expect(plan.services.map((service) => service.name)).toEqual(['example-api', 'example-worker']);
    expect(end, log.join('\n')).toEqual({ phase: 'succeeded' });
    const images = await environment.kubectl('get', 'pods', '--output', 'jsonpath={..image}');
    expect(images.split(' ')).toContain('registry.example/api:2.4.1');
    expect(await environment.plan()).toMatchObject({ services: [], unchanged: 2 });
  }
});

async function content(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const read = files.map(async ({ parentPath, name }) => {
    const path = join(parentPath, name);
    return [path.slice(root.length + 1), await readFile(path, 'utf8')] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}
