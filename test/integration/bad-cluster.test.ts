import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../src/adapters/process/run.ts';
import type { CauseReport } from '../../src/domain/cause.ts';
import { CAUSES, type CauseCode } from '../../src/domain/errors.ts';
import { helmfile, twoServices, workload } from '../support/bad-repository.ts';
import {
  explainedFailure,
  ReleaseLab,
  type ReleasedEnvironment,
} from '../support/released-environment.ts';
import { until } from '../support/until.ts';

const BUMP = { 'versions.yaml': 'versions: { api: "2", web: "1" }\n' };
const MORE = 'api/templates/more.yaml';
const MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: more }\n';

let lab: ReleaseLab;
beforeAll(async () => {
  lab = await ReleaseLab.start();
});
afterAll(() => lab.stop());

describe.concurrent(
  'what the API server refuses is told as it is, and the other service stays as it was',
  () => {
    test('a permission that the account lacks', async () => {
      const name = 'rbac';
      const settings = { token: { file: await accountToken(name) } };
      const environment = await released(name, {}, settings);
      const [everything, reading, helms] = [['*'], ['get', 'list', 'watch'], ['secrets', 'leases']];
      await grant(name, [
        { apiGroups: ['*'], resources: ['*'], verbs: reading },
        { apiGroups: ['*'], resources: helms, verbs: everything },
      ]);
      await until(async () => (await asAccount(name, 'patch', 'configmaps')) === 'no');
      await fails(environment, BUMP, {
        ...{ code: 'rbac-forbidden', kind: 'configuration', phase: 'failed' },
        says: /^system:serviceaccount:rbac:worker may not patch configmaps in namespace rbac\.$/,
      });
    });

    test('objects beyond a quota', async () => {
      const environment = await released('quota-objects');
      await limit('quota-objects', { 'count/configmaps': '3' });
      await fails(
        environment,
        { [MORE]: MAP },
        {
          ...{ code: 'quota', kind: 'rollout', phase: 'failed' },
          says: /^The quota "small" leaves no room for objects.*: requested count\/configmaps=1, used count\/configmaps=3, limited count\/configmaps=3\.$/,
        },
      );
    });

    test('pods beyond a quota', async () => {
      const environment = await released('quota-pods');
      await limit('quota-pods', { pods: '0' });
      await fails(
        environment,
        { [MORE]: workload() },
        {
          ...{ code: 'quota', kind: 'rollout', phase: 'failed' },
          says: /^The quota "small" leaves no room for objects of api: requested pods=1, used pods=0, limited pods=0\.$/,
        },
      );
    });

    test("one more revision of Helm's history beyond a quota", async () => {
      const environment = await released('quota-secrets');
      await limit('quota-secrets', { 'count/secrets': '2' });
      await fails(environment, BUMP, {
        ...{ code: 'quota', kind: 'rollout', phase: 'failed' },
        says: /^The quota "small" leaves no room for objects.*: requested count\/secrets=1, /,
      });
    });

    test('an object that an admission policy denies', async () => {
      const environment = await released('policy');
      await denyBy('policy', "object.metadata.name != 'api'", 'nobody changes api on a Friday');
      await fails(environment, BUMP, {
        ...{ code: 'admission-denied', kind: 'rollout', phase: 'failed' },
        says: /^The admission policy "policy" denies it: nobody changes api on a Friday/,
      });
    });

    test('an object that an admission webhook denies', async () => {
      const environment = await released('webhook');
      const webhook = await startDenier('webhook', 'no image without a signature');
      try {
        await fails(environment, BUMP, {
          ...{ code: 'admission-denied', kind: 'rollout', phase: 'failed' },
          says: /^The admission webhook "policy\.example\.org" denies it: no image without a signature/,
        });
      } finally {
        await webhook.close();
      }
    });

    test('a version of an API that is no longer served', async () => {
      const environment = await released('old-api');
      const old = workload({ apiVersion: 'extensions/v1beta1' });
      await fails(
        environment,
        { [MORE]: old },
        {
          ...{ code: 'template-error', kind: 'configuration', phase: 'failed' },
          says: /^The cluster serves no Deployment in version extensions\/v1beta1: /,
        },
      );
    });

    test('a Job of which only another can have another template; what it runs with is not told', async () => {
      const job = (value: string) => `apiVersion: batch/v1
kind: Job
metadata: { name: import }
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{ name: app, image: "registry.example/a:1", env: [{ name: A, value: ${value} }] }]
`;
      const environment = await released('job-template', { [MORE]: job('kept-to-itself') });
      const cause = await fails(
        environment,
        { [MORE]: job('kept-to-itself-too') },
        {
          ...{ code: 'immutable-field', kind: 'configuration', phase: 'failed' },
          says: /^The field spec\.template of Job "import" cannot change: /,
        },
      );
      expect(JSON.stringify(cause)).not.toContain('kept-to-itself');
    });

    test('a claim for storage that cannot change', async () => {
      const claim = (mode: string) => `apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data }
spec: { accessModes: [${mode}], resources: { requests: { storage: 1Gi } } }
`;
      // Nobody provides the storage here, so nobody waits for it.
      const environment = await released('claim', {
        'helmfile.yaml.gotmpl': helmfile('claim').replace('wait: true', 'wait: false'),
        [MORE]: claim('ReadWriteOnce'),
      });
      await fails(
        environment,
        { [MORE]: claim('ReadWriteMany') },
        {
          ...{ code: 'immutable-field', kind: 'configuration', phase: 'failed' },
          says: /^The spec, except for resources\.requests .*, of PersistentVolumeClaim "data" cannot change/,
        },
      );
    });

    test('an object that exists and is not Helm’s', async () => {
      const environment = await released('taken');
      await environment.kubectl('create', 'configmap', 'more');
      await fails(
        environment,
        { [MORE]: MAP },
        {
          ...{ code: 'object-taken', kind: 'configuration', phase: 'failed' },
          says: /^ConfigMap "more" exists already in namespace taken and was not made by Helm\.$/,
        },
      );
    });

    test('a number where text belongs', async () => {
      const environment = await released('number');
      await fails(
        environment,
        { [MORE]: workload().replace('image: ', 'env: [{ name: PORT, value: 1 }], image: ') },
        {
          ...{ code: 'template-error', kind: 'configuration', phase: 'failed' },
          says: /^The field spec\.template\.spec\.containers\.env\.value of a Deployment is a number, .*: quote it\.$/,
        },
      );
      await environment.push({ [MORE]: workload() });
      expect((await environment.release()).end).toEqual({ phase: 'succeeded' });
    });

    test('a resource for a namespace that is not there', async () => {
      const environment = await released('elsewhere');
      await fails(
        environment,
        { [MORE]: MAP.replace('name: more', 'name: more, namespace: nowhere') },
        {
          ...{ code: 'namespace-missing', kind: 'configuration', phase: 'failed' },
          says: /^Namespace "nowhere" does not exist\.$/,
        },
      );
    });

    test('more than Helm can remember', async () => {
      const environment = await released('large');
      const noise = Buffer.concat(Array.from({ length: 40 }, () => randomBytes(20_000)));
      await fails(
        environment,
        {
          'api/files/noise.txt': noise.toString('base64'),
          [MORE]: `${MAP}data: { noise: {{ .Files.Get "files/noise.txt" | quote }} }\n`,
        },
        {
          ...{ code: 'template-error', kind: 'configuration', phase: 'failed' },
          says: /^Helm keeps what it deployed in one Secret, and that of api would be larger than 1 MiB/,
        },
      );
    });

    test('pods under an account that is not there', async () => {
      const environment = await released('account');
      await fails(
        environment,
        { [MORE]: workload().replace('containers:', 'serviceAccountName: nobody, containers:') },
        {
          ...{ code: 'values-missing', kind: 'configuration', phase: 'failed' },
          says: /^Pods of api name the service account "nobody", which does not exist\.$/,
        },
      );
    });

    test('pods beyond a limit range', async () => {
      const environment = await released('range');
      const limits = [{ type: 'Container', max: { memory: '1Gi' } }];
      const metadata = { name: 'small', namespace: 'range' };
      await apply({ apiVersion: 'v1', kind: 'LimitRange', metadata, spec: { limits } });
      await fails(
        environment,
        {
          [MORE]: workload().replace('image: ', 'resources: { limits: { memory: 2Gi } }, image: '),
        },
        {
          ...{ code: 'quota', kind: 'rollout', phase: 'failed' },
          says: /refuses pods of api: maximum memory usage per Container is 1Gi, but limit is 2Gi\.$/,
        },
      );
    });

    test('a field that cannot change', async () => {
      const environment = await released('immutable', { [MORE]: workload() });
      await fails(
        environment,
        { [MORE]: workload({ app: 'other' }) },
        {
          ...{ code: 'immutable-field', kind: 'configuration', phase: 'failed' },
          says: /^The field spec\.selector of Deployment "api" cannot change \(to \{.*"other"\}\}\): /,
        },
      );
    });
  },
);

describe.concurrent('before anything is applied', () => {
  test('a namespace that is missing is named', async () => {
    const environment = await released('missing');
    await kubectl(['delete', 'namespace', 'missing', '--wait']);
    await isRefused(environment, 'namespace-missing', /^Namespace "missing" does not exist\.$/);
    const broken = { 'versions.yaml': 'versions: [' };
    await isRefused(environment, 'template-error', /^versions\.yaml is no valid YAML/, broken);
  });

  test('a namespace that is being deleted is named', async () => {
    const environment = await released('ending');
    const metadata = { name: 'stays', namespace: 'ending', finalizers: ['example.org/stay'] };
    await apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
    await kubectl(['delete', 'namespace', 'ending', '--wait=false']);
    await isRefused(
      environment,
      'namespace-missing',
      /^Namespace "ending" is being deleted: nothing can be created in it\.$/,
    );
  });
});

// Only root may mount a file system of its own, on Linux.
test.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0).concurrent(
  'a disk that becomes full at any point is named, and released from when there is room again',
  async () => {
    const folder = join(lab.parts.context.folder, 'worker', 'disk');
    await mkdir(folder, { recursive: true });
    await must('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', folder]);
    try {
      const top = `repositories: [{ name: charts, url: ${JSON.stringify(lab.charts.url)} }]`;
      const environment = await released('disk', {
        'helmfile.yaml.gotmpl': helmfile('disk', { top }),
      });
      // Left for: nothing; git's index of what it fetched; its branch; the checkout; what helm renders.
      for (const [at, leftKb] of [0, 4, 8, 32, 96].entries()) {
        await environment.push({ 'versions.yaml': `versions: { api: "${at + 2}", web: "1" }\n` });
        await environment.forgetIndexes();
        const { bavail, bsize } = await statfs(folder);
        const filler = join(folder, 'filler');
        await writeFile(filler, Buffer.alloc(Math.max(0, bavail * bsize - leftKb * 1024)));
        const cause = await environment.plan().then(() => undefined, explainedFailure);
        expect(cause, `${leftKb} kB left`).toMatchObject({
          code: 'disk-full',
          sentence: expect.stringMatching(/^The disk of the worker is full/) as string,
        });
        await rm(filler);
        expect((await environment.release()).end).toEqual({ phase: 'succeeded' });
      }
    } finally {
      await must('umount', [folder]);
    }
  },
  240_000,
);

test.concurrent(
  'a history of Helm that is full of failures keeps what is deployed, and takes the fix',
  async () => {
    const environment = await released(
      'history',
      { [MORE]: workload() },
      {},
      'historyMax: 2, timeout: 3',
    );
    for (const version of ['2-missing', '3-missing', '4-missing']) {
      await environment.push({ 'versions.yaml': `versions: { api: ${version}, web: "1" }\n` });
      const { end } = await environment.release();
      expect(end).toMatchObject({ phase: 'failed', cause: { code: 'image-not-found' } });
    }
    const history = await environment.helm('history', 'api', '--output', 'json');
    expect(statuses(history)).toContain('deployed');
    await environment.push({ 'versions.yaml': 'versions: { api: "5", web: "1" }\n' });
    expect((await environment.release()).end.phase).toBe('succeeded');
  },
  // Helm waits for each of the failures.
  240_000,
);

interface Failure {
  code: CauseCode;
  kind: (typeof CAUSES)[CauseCode]['kind'];
  phase: (typeof CAUSES)[CauseCode]['phase'];
  says: RegExp;
}

/** An environment whose two services run. */
async function released(
  name: string,
  files: Readonly<Record<string, string>> = {},
  settings: Record<string, unknown> = {},
  defaults?: string,
): Promise<ReleasedEnvironment> {
  const content = twoServices(name, files);
  const text = content['helmfile.yaml.gotmpl'] ?? '';
  const chosen = defaults === undefined ? text : text.replace('timeout: 15', defaults);
  const all = { ...content, 'helmfile.yaml.gotmpl': chosen };
  const environment = await lab.environment(name, all, settings);
  expect((await environment.release()).end).toEqual({ phase: 'succeeded' });
  return environment;
}

/** The change fails as it should; the other service and Helm's locks are as they were. */
async function fails(
  environment: ReleasedEnvironment,
  change: Readonly<Record<string, string>>,
  { code, kind, phase, says }: Failure,
): Promise<CauseReport | undefined> {
  const before = await environment.helm('history', 'web', '--output', 'json');
  await environment.push(change);
  const { end } = await environment.release();
  expect(end.cause).toMatchObject({ code, sentence: expect.stringMatching(says) as string });
  expect(CAUSES[code]).toMatchObject({ kind, phase });
  expect(await environment.helm('history', 'web', '--output', 'json')).toBe(before);
  const listed = await environment.helm('list', '--output', 'json');
  expect(statuses(listed).join()).not.toContain('pending');
  return end.cause;
}

async function isRefused(
  environment: ReleasedEnvironment,
  code: CauseCode,
  says: RegExp,
  change: Readonly<Record<string, string>> = BUMP,
): Promise<void> {
  await environment.push(change);
  const cause = await environment.plan().then(() => undefined, explainedFailure);
  expect(cause).toMatchObject({ code, sentence: expect.stringMatching(says) as string });
}

function statuses(listed: string): string[] {
  return (JSON.parse(listed) as { status: string }[]).map(({ status }) => status);
}

async function limit(namespace: string, hard: Record<string, string>): Promise<void> {
  const metadata = { name: 'small', namespace };
  await apply({ apiVersion: 'v1', kind: 'ResourceQuota', metadata, spec: { hard } });
  const used = ['get', 'resourcequota', 'small', '-n', namespace, '-o', 'jsonpath={.status.used}'];
  await until(async () => (await kubectl(used)) !== '');
}

/** Refuses ConfigMaps of a namespace for which the expression is false. */
async function denyBy(namespace: string, expression: string, message: string): Promise<void> {
  const group = { apiVersion: 'admissionregistration.k8s.io/v1', metadata: { name: namespace } };
  const resources = ['configmaps'];
  const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources };
  await apply({
    ...{ ...group, kind: 'ValidatingAdmissionPolicy' },
    spec: { matchConstraints: { resourceRules: [rule] }, validations: [{ expression, message }] },
  });
  await apply({
    ...{ ...group, kind: 'ValidatingAdmissionPolicyBinding' },
    spec: {
      ...{ policyName: namespace, validationActions: ['Deny'] },
      matchResources: { namespaceSelector: inNamespace(namespace) },
    },
  });
  await untilDenied(namespace);
}

/** An admission webhook that denies every change of a ConfigMap in a namespace. */
async function startDenier(namespace: string, message: string) {
  const keys = dirname(lab.kubernetes.caFile);
  // The API server's own certificate is good for any server on this address.
  const [cert, key] = await Promise.all(
    ['admin.crt', 'admin.key'].map((name) => readFile(join(keys, name))),
  );
  const server = createServer({ cert, key }, (request, response) => {
    void json(request).then((review) => {
      const { apiVersion, kind, request: asked } = review as Review;
      const answer = { uid: asked.uid, allowed: false, status: { message } };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ apiVersion, kind, response: answer }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'] };
  await apply({
    ...{ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration' },
    metadata: { name: namespace },
    webhooks: [
      {
        ...{ name: 'policy.example.org', sideEffects: 'None', admissionReviewVersions: ['v1'] },
        rules: [{ ...rule, resources: ['configmaps'] }],
        namespaceSelector: inNamespace(namespace),
        clientConfig: {
          url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`,
          caBundle: (await readFile(lab.kubernetes.caFile)).toString('base64'),
        },
      },
    ],
  });
  await untilDenied(namespace);
  return {
    close: async () => {
      await kubectl(['delete', 'validatingwebhookconfiguration', namespace]);
      server.closeAllConnections();
      server.close();
    },
  };
}

interface Review {
  apiVersion: string;
  kind: string;
  request: { uid: string };
}

function inNamespace(name: string) {
  return { matchLabels: { 'kubernetes.io/metadata.name': name } };
}

/** The API server learns of a policy a moment after it was written. */
async function untilDenied(namespace: string): Promise<void> {
  const touch = ['annotate', 'configmap', 'api', '-n', namespace, 'tried=yes', '--overwrite'];
  const tried = () => kubectl([...touch, '--dry-run=server']).then(() => false, isDenial);
  await until(tried, { intervalMs: 200 });
}

function isDenial(error: unknown): boolean {
  return /denied/.test(String(error));
}

/** Makes an account that may do everything in its namespace, and answers where its token is. */
async function accountToken(namespace: string): Promise<string> {
  await lab.kubernetes.createNamespaces([namespace]);
  await apply({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'worker', namespace },
  });
  await grant(namespace, [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }]);
  const api = 'rbac.authorization.k8s.io';
  await apply({
    ...{ apiVersion: `${api}/v1`, kind: 'RoleBinding', metadata: { name: 'worker', namespace } },
    roleRef: { apiGroup: api, kind: 'Role', name: 'worker' },
    subjects: [{ kind: 'ServiceAccount', name: 'worker', namespace }],
  });
  await until(async () => (await asAccount(namespace, 'patch', 'configmaps')) === 'yes');
  const file = join(lab.parts.context.folder, `${namespace}-token`);
  await writeFile(file, (await kubectl(['create', 'token', 'worker', '-n', namespace])).trim());
  return file;
}

function grant(namespace: string, rules: readonly Record<string, string[]>[]): Promise<string> {
  const metadata = { name: 'worker', namespace };
  return apply({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata, rules });
}

async function asAccount(namespace: string, verb: string, resource: string): Promise<string> {
  const account = `system:serviceaccount:${namespace}:worker`;
  const args = ['auth', 'can-i', verb, resource, '-n', namespace, '--as', account];
  // "no" is an exit code of 1, too.
  return kubectl(args).then(
    (text) => text.trim(),
    () => 'no',
  );
}

function apply(object: unknown): Promise<string> {
  return kubectl(['apply', '-f', '-'], JSON.stringify(object));
}

function kubectl(args: readonly string[], input?: string): Promise<string> {
  return must(lab.parts.tools.kubectl, args, input);
}

async function must(program: string, args: readonly string[], input?: string): Promise<string> {
  const result = await run(program, args, {
    env: { ...lab.parts.context.env, KUBECONFIG: lab.kubernetes.kubeconfigPath },
    ...(input === undefined ? {} : { input }),
  });
  if (result.exitCode !== 0) throw new Error(result.stderr);
  return result.stdout;
}
