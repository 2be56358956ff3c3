import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DriftReport } from '../../src/domain/drift/report.ts';
import { repository } from '../support/own-services.ts';
import { ReleaseLab, type ReleasedEnvironment } from '../support/released-environment.ts';

let lab: ReleaseLab;
let environment: ReleasedEnvironment;
beforeAll(async () => {
  lab = await ReleaseLab.start();
  const files = repository('drifting', NAMES);
  const secret = `apiVersion: v1
kind: Secret
metadata: { name: {{ .Release.Name }} }
stringData: { password: "the-declared-one" }
data: { user: YWRh }
`;
  environment = await lab.environment('drifting', { ...unwaited(files), [SECRET]: secret });
  await environment.helmfile('sync');
});
afterAll(() => lab.stop());

const NAMES = ['api', 'audit', 'web'];
const SECRET = 'chart/templates/secret.yaml';
const NOTHING: DriftReport = {
  ...{ services: [], notLookedAt: [] },
  objects: { services: [], truncated: { resources: 0, fields: 0, lines: 0 } },
};

test('what was just deployed has not drifted, and a look changes nothing', async () => {
  const before = await versions();
  expect(await look()).toEqual(NOTHING);
  expect(await versions()).toEqual(before);
});

test('an image that somebody edited is told with its place, the old one and the new one', async () => {
  await environment.kubectl('set', 'image', 'deployment/web', 'app=registry.example/own:99');
  expect(fieldsOf(await look())).toEqual([
    'web Deployment/web /spec/template/spec/containers/app/image ' +
      'registry.example/own:1 → registry.example/own:99',
  ]);
  await environment.kubectl('set', 'image', 'deployment/web', 'app=registry.example/own:1');
  expect(await look()).toEqual(NOTHING);
});

test('what others set beside the manifest is none', async () => {
  await environment.kubectl('label', 'deployment', 'web', 'team=payments');
  await environment.kubectl('set', 'env', 'deployment/web', 'DEBUG=1');
  await environment.kubectl('rollout', 'restart', 'deployment/web');
  expect(await look()).toEqual(NOTHING);
});

test('an object that somebody deleted is told', async () => {
  await environment.kubectl('delete', 'configmap', 'audit');
  const { objects } = await look();
  expect(objects.services).toMatchObject([
    {
      service: 'audit',
      resources: [{ change: 'removed', kind: 'ConfigMap', name: 'audit' }],
    },
  ]);
  await restore('audit');
});

test('a changed Secret is told without its values', async () => {
  const patch = JSON.stringify({ stringData: { password: 'the-secret-one' } });
  await environment.kubectl('patch', 'secret', 'web', '--patch', patch);
  const report = await look();
  const [resource] = report.objects.services[0]?.resources ?? [];
  expect(resource).toMatchObject({
    ...{ kind: 'Secret', hidden: true },
    fields: [{ pointer: '/data/password', before: '(hidden)', after: '(hidden)' }],
  });
  const told = JSON.stringify(report);
  for (const value of ['the-secret-one', 'the-declared-one']) {
    expect(told).not.toContain(value);
    expect(told).not.toContain(Buffer.from(value).toString('base64'));
  }
  await restore('web');
});

test('scaled by hand is drift, asleep by schedule is not', async () => {
  await environment.kubectl('scale', 'deployment/audit', '--replicas=0');
  expect(fieldsOf(await look())).toEqual(['audit Deployment/audit /spec/replicas 1 → 0']);
  const schedule = 'downscaler/uptime=Mon-Fri 07:50-18:05 Europe/London';
  await environment.kubectl('annotate', 'deployment', 'audit', schedule);
  expect(await look()).toEqual(NOTHING);
});

test('the replicas of an autoscaler are its own', async () => {
  await environment.kubectl('scale', 'deployment/web', '--replicas=3');
  expect(fieldsOf(await look())).toHaveLength(1);
  await environment.kubectl('autoscale', 'deployment', 'web', '--min=3', '--max=5');
  expect(await look()).toEqual(NOTHING);
});

test('a release changed with helm by hand, one that is gone and one from elsewhere are told', async () => {
  const chart = `${environment.content}/chart`;
  const set = ['--reuse-values', '--set', 'flag=hand', '--force-conflicts'];
  await environment.helm('upgrade', 'audit', chart, ...set);
  await environment.helm('uninstall', 'api');
  await environment.helm('install', 'stray', chart, '--set', 'replicas=1');
  const { services, objects } = await look();
  expect(services.map(({ service, finding }) => [service, finding])).toEqual([
    ['api', 'missing'],
    ['audit', 'revision'],
    ['stray', 'undeclared'],
  ]);
  expect(services[1]?.note).toBe('revision 2 is not the one that was left (1): Upgrade complete');
  // What stands there is what that revision says.
  expect(objects.services).toEqual([]);
});

test('what the account may not try to change is said, and no error', async () => {
  await environment.kubectl('create', 'serviceaccount', 'reader');
  await environment.kubectl(
    ...['create', 'clusterrole', 'drift-reader', '--verb=get,list,watch', '--resource=*.*'],
  );
  await environment.kubectl(
    ...['create', 'clusterrolebinding', 'drift-reader', '--clusterrole=drift-reader'],
    '--serviceaccount=drifting:reader',
  );
  const token = { file: join(environment.folder, 'reader') };
  await writeFile(token.file, (await environment.kubectl('create', 'token', 'reader')).trim());
  const files = unwaited(repository('reading', ['web']));
  const reading = await lab.environment('reading', files, { token });
  await reading.helmfile('sync');
  const left = { name: 'web', lastEnd: 'succeeded' } as const;
  const { objects, notLookedAt } = await reading.lookForDrift([left]);
  expect(objects.services).toEqual([]);
  expect(notLookedAt.map(({ what }) => what).sort()).toEqual([
    'ConfigMap of web',
    'Deployment of web',
  ]);
  expect(notLookedAt[0]?.why).toContain('cannot patch resource');
});

/** Looks with what a deployment would have left in the store. */
function look(): Promise<DriftReport> {
  const left = NAMES.map((name) => ({ name, lastEnd: 'succeeded' as const, helmRevision: 1 }));
  return environment.lookForDrift(left);
}

/** What is declared counts here, not whether it runs. */
function unwaited(files: Record<string, string>): Record<string, string> {
  const path = 'helmfile.yaml.gotmpl';
  return { ...files, [path]: (files[path] ?? '').replace('wait: true', 'wait: false') };
}

/** Each field that differs, in one line. */
function fieldsOf({ objects }: DriftReport): string[] {
  return objects.services.flatMap(({ service, resources }) =>
    resources.flatMap(({ kind, name, fields }) =>
      fields.map(
        ({ pointer, before, after }) =>
          `${service} ${kind}/${name} ${pointer} ${shown(before)} → ${shown(after)}`,
      ),
    ),
  );
}

/** As another apply of the same would. */
async function restore(service: string): Promise<void> {
  const manifest = join(environment.folder, `${service}.yaml`);
  await writeFile(manifest, await environment.helm('get', 'manifest', service));
  await environment.kubectl('apply', '--server-side', '--force-conflicts', '--filename', manifest);
  expect(await look()).toEqual(NOTHING);
}

async function versions(): Promise<string[]> {
  const kinds = 'deployments,configmaps,secrets,services,leases';
  const { items } = JSON.parse(
    await environment.kubectl('get', kinds, '--output', 'json'),
  ) as ObjectList;
  return items
    .map(({ kind, metadata: { name, generation, resourceVersion, ...rest } }) => {
      // A Deployment's controller writes its status when it likes; the generation counts what others write.
      const version = generation ?? resourceVersion;
      return `${kind}/${name} ${version} ${JSON.stringify([rest.labels, rest.annotations])}`;
    })
    .sort();
}

interface ObjectList {
  items: {
    kind: string;
    metadata: {
      name: string;
      generation?: number;
      resourceVersion: string;
      labels?: Record<string, string>;
      annotations?: Record<string, string>;
    };
  }[];
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
