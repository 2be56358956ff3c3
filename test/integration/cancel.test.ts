import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CancelledFailure } from '@temporalio/common';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openKubernetes, type KubernetesApi } from '../../src/adapters/kubernetes/client.ts';
import { listHelmReleases } from '../../src/adapters/kubernetes/helm-releases.ts';
import { EnvironmentLease } from '../../src/adapters/kubernetes/lease.ts';
import { attemptPids, isAlive } from '../../src/main/dev/platform-processes.ts';
import { twoServices, workload } from '../support/bad-repository.ts';
import { ReleaseLab } from '../support/released-environment.ts';
import { until } from '../support/until.ts';

let lab: ReleaseLab;
beforeAll(async () => {
  lab = await ReleaseLab.start();
});
afterAll(() => lab.stop());

// A stopped process ignores every signal but the one that nothing can ignore.
test.concurrent.each([
  ['that ignores signals', 'stopped', false],
  ['that ignores signals and left its process group', 'setsid', true],
])('cancelling ends a helm %s, and heals what it left pending', async (_what, name, leaves) => {
  const files = twoServices(name, { 'api/templates/more.yaml': workload() });
  const tools = leaves ? { helm: await helmThatLeavesItsGroup() } : {};
  const environment = await lab.environment(name, files, {}, tools);
  expect((await environment.release()).end.phase).toBe('succeeded');
  await environment.push({ 'versions.yaml': 'versions: { api: 2-missing, web: "1" }\n' });

  const access = await accessTo(name);
  const kubernetes = openKubernetes(access);
  const lease = new EnvironmentLease(access);
  const { cancel, ended } = await environment.beginApply();
  const end = ended.catch((error: unknown) => error);
  await until(async () => (await statusOf(kubernetes, name)) === 'pending-upgrade');
  const helm = upgradesIn(environment.folder);
  expect(helm).toHaveLength(1);
  for (const pid of helm) process.kill(pid, 'SIGSTOP');

  const cancelled = performance.now();
  cancel();
  await until(() => !helm.some(isAlive));
  // Whoever takes the Lease now would find nothing pending, so it is healed while it is still held.
  await until(async () => (await lease.look())?.holder === '', { intervalMs: 10 });
  expect(await statusOf(kubernetes, name)).toBe('failed');
  expect(await end).toBeInstanceOf(CancelledFailure);
  process.stdout.write(
    `cancel (${name}): ${((performance.now() - cancelled) / 1_000).toFixed(1)} s\n`,
  );
  expect(attemptPids(environment.folder)).toEqual([]);

  await environment.push({ 'versions.yaml': 'versions: { api: "3", web: "1" }\n' });
  expect((await environment.release()).end.phase).toBe('succeeded');
});

async function statusOf(kubernetes: KubernetesApi, namespace: string) {
  const helmReleases = await listHelmReleases(kubernetes, namespace);
  return helmReleases.find(({ service }) => service === 'api')?.status;
}

async function accessTo(namespace: string) {
  const { server, token, caFile } = lab.kubernetes;
  return { server, token, namespace, certificateAuthority: await readFile(caFile, 'utf8') };
}

/** The helms of an attempt that upgrade a service. */
function upgradesIn(folder: string): number[] {
  return attemptPids(folder).filter((pid) => {
    const [program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return program.endsWith('/helm') && args.includes('upgrade');
  });
}

async function helmThatLeavesItsGroup(): Promise<string> {
  const file = join(lab.parts.context.folder, 'helm-in-a-session-of-its-own');
  const { helm } = lab.parts.tools;
  const script = `#!/bin/sh\ncase " $* " in *" upgrade "*) exec /usr/bin/setsid ${helm} "$@" ;; esac\nexec ${helm} "$@"\n`;
  await writeFile(file, script, { mode: 0o755 });
  return file;
}
