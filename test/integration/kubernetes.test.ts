import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openKubernetes, type KubernetesApi } from '../../src/adapters/kubernetes/client.ts';
import {
  checkNamespace,
  listHelmReleases,
  type HelmRelease,
} from '../../src/adapters/kubernetes/helm-releases.ts';
import type { ReleasedObject } from '../../src/adapters/kubernetes/inventory.ts';
import { EnvironmentLease } from '../../src/adapters/kubernetes/lease.ts';
import { listWorkloads } from '../../src/adapters/kubernetes/workloads.ts';
import { run } from '../../src/adapters/process/run.ts';
import { STAMP } from '../../src/contract/stamp.ts';
import { startKubernetes, type Kubernetes } from '../../src/main/dev/kubernetes.ts';
import { startFaultyLine } from '../support/faulty-line.ts';
import { until } from '../support/until.ts';
import { createTestParts, type TestParts } from '../support/part-context.ts';

const NAMESPACE = 'cs-dev';

let parts: TestParts;
let cluster: Kubernetes;
let certificateAuthority: string;
let api: KubernetesApi;

beforeAll(async () => {
  parts = await createTestParts();
  cluster = await startKubernetes(parts.context);
  await cluster.createNamespaces([NAMESPACE]);
  certificateAuthority = await readFile(cluster.caFile, 'utf8');
  api = open();
});
afterAll(async () => {
  await cluster.stop();
  await parts.close();
});

describe('the API server', () => {
  it('says whether a namespace is there', async () => {
    await checkNamespace(api, NAMESPACE);
    await expect(checkNamespace(api, 'nope')).rejects.toMatchObject({
      code: 'namespace-missing',
      message: 'looking for namespace nope: namespaces "nope" not found',
    });
  });

  it('that refuses the token is no cluster that is away', async () => {
    const error: unknown = await checkNamespace(open({ token: 'a-wrong-token' }), NAMESPACE).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: 'cluster-auth' });
    expect(String(error)).not.toContain('a-wrong-token');
  });

  it('that forbids what is asked says what', async () => {
    await kubectl('create', 'serviceaccount', 'weak');
    const token = (await kubectl('create', 'token', 'weak')).trim();
    await expect(listHelmReleases(open({ token }), NAMESPACE)).rejects.toMatchObject({
      code: 'rbac-forbidden',
      message: expect.stringMatching(/cannot list resource "secrets".*"cs-dev"/) as string,
    });
  });

  it('that is away is said to be so quickly, and found again when it is back', async () => {
    const line = await startFaultyLine(cluster.server);
    const behind = open({ server: line.url });
    await checkNamespace(behind, NAMESPACE);
    await line.cut();
    const started = performance.now();
    await expect(checkNamespace(behind, NAMESPACE)).rejects.toMatchObject({
      code: 'cluster-unreachable',
      message: expect.stringContaining('ECONN') as string,
    });
    expect(performance.now() - started).toBeLessThan(2_000);
    await line.restore();
    await checkNamespace(behind, NAMESPACE);
    await line.close();
  });

  it('that cannot be verified is not used', async () => {
    const stranger = openKubernetes({ server: cluster.server, namespace: NAMESPACE, token: 't' });
    await expect(checkNamespace(stranger, NAMESPACE)).rejects.toMatchObject({
      code: 'cluster-auth',
      message: expect.stringContaining('certificate') as string,
    });
  });
});

describe('the workloads that few Helm releases declare', () => {
  it('are told as among many, with the pods of each and of no other', async () => {
    const kinds = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'Pod'];
    await apply({
      apiVersion: 'v1',
      kind: 'List',
      // The selector of one matches the pods of another, as with a canary.
      items: [...kinds.map((kind) => workload(kind, 'one')), workload('Deployment', 'two')],
    });
    const few = [...kinds.map((kind) => objectOf(kind, 'one')), objectOf('Deployment', 'two')];
    const absent = Array.from({ length: 20 }, (_, index) => objectOf('Job', `absent-${index}`));
    const of = (objects: ReleasedObject[]) =>
      listWorkloads(api, NAMESPACE, [{ service: 'web', objects }]);
    // Both answers, once nothing changes in between.
    await until(async () => {
      const alone = await of(few);
      const among = await of([...few, ...absent]);
      expect(among.filter(({ missing }) => missing)).toHaveLength(absent.length);
      const pods = alone.flatMap((facts) => facts.pods.map(({ name }) => name));
      return (
        alone.every((facts) => facts.pods.length > 0) &&
        new Set(pods).size === pods.length &&
        isDeepStrictEqual(among.slice(0, few.length), alone)
      );
    });
  });
});

function objectOf(kind: string, name: string): ReleasedObject {
  const apiVersion = kind === 'Pod' ? 'v1' : kind === 'Job' ? 'batch/v1' : 'apps/v1';
  return { apiVersion, kind, name, images: [], hook: false, vanishes: false };
}

function workload(kind: string, name: string): object {
  const { apiVersion } = objectOf(kind, name);
  const spec = {
    containers: [{ name: 'app', image: 'registry.example/app:1' }],
    ...(kind === 'Job' ? { restartPolicy: 'Never' } : {}),
  };
  if (kind === 'Pod') return { apiVersion, kind, metadata: { name }, spec };
  const labels = { kind, name };
  const matchExpressions = [{ key: 'name', operator: 'In', values: [name] }];
  const selector = name === 'one' ? { matchLabels: { kind } } : { matchExpressions };
  const template = { metadata: { labels }, spec };
  const own = kind === 'Job' ? { template } : { selector, template };
  return { apiVersion, kind, metadata: { name }, spec: own };
}

describe('the Lease of an environment', () => {
  const access = (server: string) => ({
    ...{ server, token: cluster.token, certificateAuthority, namespace: NAMESPACE },
  });
  const never = new AbortController().signal;
  const holderOf = async (lease: EnvironmentLease) => (await lease.look())?.holder;

  it('is given back when the API server is there again, though its holder lives on', async () => {
    const line = await startFaultyLine(cluster.server);
    const lease = new EnvironmentLease(access(line.url));
    const seen = new EnvironmentLease(access(cluster.server));
    await lease.hold('one', '', never, () => line.cut());
    expect(await holderOf(seen)).toBe('one');
    await line.restore();
    await until(async () => (await holderOf(seen)) === '');
    await line.close();
  });

  it('survives a line that is cut for less than the time after which its holder gives up', async () => {
    const line = await startFaultyLine(cluster.server);
    const timing = { durationMs: 60_000, renewMs: 50, giveUpMs: 30_000 };
    const lease = new EnvironmentLease(access(line.url), timing);
    await lease.hold('two', '', never, async (held) => {
      const renewedAt = () => lease.look().then((facts) => (facts?.silentMs ?? 1) < 1);
      for (let cuts = 0; cuts < 5; cuts += 1) {
        await line.cut();
        await line.restore();
        await until(() => renewedAt().catch(() => false));
      }
      expect(held.aborted).toBe(false);
    });
    expect(await holderOf(lease)).toBe('');
    await line.close();
  });

  it('ends the work of its holder when somebody else has taken it', async () => {
    const timing = { durationMs: 60_000, renewMs: 500, giveUpMs: 30_000 };
    const lease = new EnvironmentLease(access(cluster.server), timing);
    const other = new EnvironmentLease(access(cluster.server));
    await lease.hold('three', '', never, async (held) => {
      const taken = () =>
        other.hold('four', 'three', never, async () => {
          await until(() => held.aborted);
          return held.reason as unknown;
        });
      let reason: unknown;
      await until(async () => {
        // A renewal may have come first.
        reason = await taken().catch(() => undefined);
        return reason;
      });
      expect(reason).toMatchObject({ code: 'helm-locked' });
    });
    expect(await holderOf(lease)).toBe('');
  });
});

describe('the Helm releases of a namespace', () => {
  const name = 'web';

  beforeEach(async () => {
    // One request for all: one by one they take as many.
    const path = `/api/v1/namespaces/${NAMESPACE}/secrets?labelSelector=owner%3Dhelm`;
    await kubectl('delete', '--raw', path);
    for (const map of ['web', 'other'])
      await kubectl('delete', 'configmap', map, '--ignore-not-found');
  });

  it('are none at first', async () => {
    expect(await listHelmReleases(api, NAMESPACE)).toEqual([]);
  });

  it('are told by their newest revision of many, with labels, description and chart', async () => {
    for (let revision = 1; revision <= 10; revision += 1) await upgrade(name, `${revision}`);
    await upgrade('other', '1');
    const releases = await listHelmReleases(api, NAMESPACE);
    expect(releases).toHaveLength(2);
    expect(releases.find(({ service }) => service === name)).toMatchObject({
      helmRevision: 10,
      status: 'deployed',
      description: 'by 10',
      chartVersion: '0.1.0',
      serverSide: true,
      deploymentId: 'dep_10',
      attempt: 10,
    });
  });

  it('that Helm took back by itself say so, and carry the labels of their target', async () => {
    await upgrade(name, '1');
    await upgrade(name, '2');
    await helm('rollback', name, '1');
    const [release] = await listHelmReleases(api, NAMESPACE);
    expect(release).toMatchObject({
      helmRevision: 3,
      status: 'deployed',
      description: 'Rollback to 1',
      deploymentId: 'dep_1',
    });
  });

  it('that are pending are not hidden behind what was deployed before', async () => {
    await upgrade(name, '1');
    await upgrade(name, '2');
    await kubectl(
      'label',
      'secret',
      `sh.helm.release.v1.${name}.v2`,
      'status=pending-upgrade',
      '--overwrite',
    );
    const [release] = await listHelmReleases(api, NAMESPACE);
    expect(release).toMatchObject({ helmRevision: 2, status: 'pending-upgrade' });
  });

  it('of which nothing changed are looked at by their labels alone', async () => {
    await upgrade(name, '1');
    const secret = JSON.parse(
      await kubectl('get', 'secret', `sh.helm.release.v1.${name}.v1`, '-o', 'json'),
    ) as { metadata: { labels: Record<string, string> }; type: string; data: object };
    const { type, data, metadata } = secret;
    const items = Array.from({ length: 100 }, (_, index) => {
      const labels = { ...metadata.labels, name: `copy-${index}` };
      const named = { name: `sh.helm.release.v1.copy-${index}.v1`, labels };
      return { apiVersion: 'v1', kind: 'Secret', type, data, metadata: named };
    });
    await apply({ apiVersion: 'v1', kind: 'List', items });

    const { watched, contents } = watchingContents(api);
    const first = await listHelmReleases(watched, NAMESPACE);
    expect(contents.length).toBeGreaterThanOrEqual(100);
    contents.length = 0;
    expect(withoutAge(await listHelmReleases(watched, NAMESPACE))).toEqual(withoutAge(first));
    expect(contents).toEqual([]);

    await kubectl(
      'label',
      'secret',
      'sh.helm.release.v1.copy-7.v1',
      'status=failed',
      '--overwrite',
    );
    const seen = await listHelmReleases(watched, NAMESPACE);
    expect(seen).toHaveLength(101);
    expect(seen.find(({ service }) => service === 'copy-7')?.status).toBe('failed');
    expect(contents).toEqual(['sh.helm.release.v1.copy-7.v1']);
  });

  it('that others made carry no labels of ours', async () => {
    await helm('install', name, await chart());
    const [release] = await listHelmReleases(api, NAMESPACE);
    expect(release).not.toHaveProperty('deploymentId');
    expect(release).not.toHaveProperty('attempt');
  });
});

function open(other: { token?: string; server?: string } = {}): KubernetesApi {
  const { server, token } = cluster;
  return openKubernetes({ server, token, namespace: NAMESPACE, certificateAuthority, ...other });
}

/** Notes the name of each Secret whose content is read. */
function watchingContents(of: KubernetesApi): { watched: KubernetesApi; contents: string[] } {
  const contents: string[] = [];
  const core = Object.create(of.core) as KubernetesApi['core'];
  core.listNamespacedSecret = async (...asked) => {
    const list = await of.core.listNamespacedSecret(...asked);
    const full = list.items.filter(({ data }) => data !== undefined);
    contents.push(...full.map(({ metadata }) => metadata?.name ?? ''));
    return list;
  };
  return { watched: { ...of, core }, contents };
}

function withoutAge(releases: readonly HelmRelease[]): HelmRelease[] {
  return releases.map((release) => ({ ...release, ageMs: 0 }));
}

async function apply(objects: object): Promise<void> {
  const file = join(parts.context.folder, 'objects.json');
  await writeFile(file, JSON.stringify(objects));
  await kubectl('create', '-f', file);
}

async function upgrade(name: string, mark: string): Promise<void> {
  const labels = `--labels=${STAMP.deployment}=dep_${mark},${STAMP.attempt}=${mark}`;
  const args = ['--install', '--history-max', '20', '--description', `by ${mark}`, labels];
  await helm('upgrade', name, await chart(), ...args);
}

let made: Promise<string> | undefined;

/** A chart without workloads, so that nothing has to roll out. */
function chart(): Promise<string> {
  made ??= (async () => {
    const folder = parts.context.folder;
    await must(parts.tools.helm, ['create', 'plain'], folder);
    const templates = `${folder}/plain/templates`;
    await must('/bin/sh', [
      '-c',
      `rm -r ${templates}/* && printf '%s\n' 'apiVersion: v1' 'kind: ConfigMap' 'metadata: { name: {{ .Release.Name }} }' > ${templates}/map.yaml`,
    ]);
    return `${folder}/plain`;
  })();
  return made;
}

function helm(...args: string[]) {
  return must(parts.tools.helm, ['-n', NAMESPACE, ...args]);
}

function kubectl(...args: string[]) {
  return must(parts.tools.kubectl, ['-n', NAMESPACE, ...args]);
}

async function must(file: string, args: string[], cwd?: string): Promise<string> {
  const env = { ...parts.context.env, KUBECONFIG: cluster.kubeconfigPath };
  const result = await run(file, args, { env, ...(cwd === undefined ? {} : { cwd }) });
  expect(result, result.stderr).toMatchObject({ exitCode: 0 });
  return result.stdout;
}
