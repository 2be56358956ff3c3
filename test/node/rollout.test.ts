import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureTools } from '../../src/adapters/tools/ensure-tools.ts';
import { APP_IMAGE } from './images.ts';
import { forever, job, pod, shell, workload } from './objects.ts';
import { NODE_TOOLS, startRealNode, type RealNode } from './real-node.ts';
import { releasesOn, SECRET, type Releases } from './releases.ts';
import { whyNoRealNode } from './requirements.ts';

const reason = await whyNoRealNode();
const title = reason === undefined ? 'on a real node' : `on a real node (skipped: ${reason})`;
// Where nothing of Kubernetes is in Go's cache yet, building the kubelet takes minutes.
const START_MS = 30 * 60_000;

let node: RealNode;
let releases: Releases;

describe.skipIf(reason !== undefined)(title, () => {
  beforeAll(async () => {
    const tools = await ensureTools(NODE_TOOLS);
    node = await startRealNode(tools);
    releases = releasesOn(node, tools.helm);
  }, START_MS);

  afterAll(async () => {
    await node.stop();
  });

  describe.concurrent('a rollout that fails says why', () => {
    it('image not found: the image, and what the registry said', async () => {
      const image = 'example.test/nothing:9';
      const { state, cause } = await deploy('missing', pod({ image }));
      expect(state).toBe('failed');
      expect(cause).toMatchObject({ code: 'image-not-found', container: 'app', image });
      expect(cause?.reason).toMatch(/^(ErrImagePull|ImagePullBackOff)$/);
      expect(cause?.evidence?.join('\n')).toContain(`${image}: not found`);
    });

    it('a registry that wants a login: waited for, then named', async () => {
      const image = 'example.test/private/api:1';
      const { state, cause } = await deploy('private', pod({ image }), { timeoutMs: 8_000 });
      expect(state).toBe('progressing');
      expect(cause).toMatchObject({ code: 'image-auth', image });
      expect(cause?.evidence?.join('\n')).toContain('401 Unauthorized');
    });

    it('crash loop: exit code, last lines of the previous log, and no secret', async () => {
      const script = `echo starting with ${SECRET}; sleep 1; echo "no such host: opensearch.qa"; exit 42`;
      const { state, cause, log } = await deploy('crash', pod(shell(script)));
      expect(state).toBe('failed');
      expect(cause).toMatchObject({ code: 'crash-loop', container: 'app', reason: 'Error' });
      expect(cause?.sentence).toMatch(/exits with code 42 \(Error\) and was restarted \d times\./);
      expect(cause?.sentence).toContain('log: no such host: opensearch.qa');
      expect(cause?.evidence?.join('\n')).toContain('starting with ‹masked›');
      expect(JSON.stringify({ cause, log })).not.toContain(SECRET);
      expect(log.join('\n')).toContain('no such host: opensearch.qa');
    });

    it('out of memory: the limit', async () => {
      const resources = { limits: { memory: '32Mi' } };
      const spec = pod({ ...shell('echo allocating; tail /dev/zero'), resources });
      const { state, cause } = await deploy('oom', spec);
      expect(state).toBe('failed');
      expect(cause).toMatchObject({ code: 'oom-killed', reason: 'OOMKilled' });
      expect(cause?.sentence).toContain(
        'its limit of 32Mi and was killed (OOMKilled, exit code 137)',
      );
    });

    it('a readiness probe that fails: the question and the answer', async () => {
      const readinessProbe = { httpGet: { path: '/health', port: 8080 }, periodSeconds: 1 };
      const serving = shell('exec httpd -f -p 8080 -h /etc');
      const spec = pod({ ...serving, readinessProbe });
      const { state, cause } = await deploy('unready', spec, { timeoutMs: 10_000 });
      expect(state).toBe('progressing');
      expect(cause).toMatchObject({ code: 'readiness-failing', container: 'app' });
      expect(cause?.sentence).toContain('readiness probe: GET :8080/health');
      expect(cause?.sentence).toContain('HTTP probe failed with statuscode: 404');
    });

    it('a liveness probe that fails: it, not the exit code, is the cause', async () => {
      const exec = { command: ['cat', '/tmp/alive'] };
      const livenessProbe = { exec, periodSeconds: 1, failureThreshold: 2 };
      const { state, cause } = await deploy('unlive', pod({ ...forever, livenessProbe }), {
        ...{ timeoutMs: 20_000, soakMs: 8_000 },
      });
      expect(state).not.toBe('healthy');
      expect(cause).toMatchObject({ code: 'crash-loop', reason: 'Unhealthy' });
      expect(cause?.sentence).toContain('is ended by its liveness probe (cat /tmp/alive)');
      expect(cause?.sentence).toContain("can't open '/tmp/alive'");
    });

    it('an init container that fails: which one, its exit code and its log', async () => {
      const script = 'echo "relation users is missing"; exit 7';
      const migrate = { name: 'migrate', image: APP_IMAGE, ...shell(script) };
      const { state, cause } = await deploy('init', pod(forever, { initContainers: [migrate] }));
      expect(state).toBe('failed');
      expect(cause).toMatchObject({ code: 'init-failed', container: 'migrate' });
      expect(cause?.sentence).toMatch(/exits with code 7 .* log: relation users is missing$/);
    });

    it('a program that the image lacks', async () => {
      const { state, cause } = await deploy('nothing', pod({ command: ['/nope'] }));
      expect(state).toBe('failed');
      expect(cause?.sentence).toContain(
        'cannot be started (exec: "/nope": stat /nope: no such file',
      );
    });

    it('a Job that fails: its exit code and its log', async () => {
      await releases.apply('job', [job('import', shell('echo "disk full"; exit 3'))]);
      const { judgement } = await releases.watch('job');
      expect(judgement.state).toBe('failed');
      expect(judgement.cause).toMatchObject({ code: 'job-failed', workload: 'Job/import' });
      expect(judgement.cause?.sentence).toMatch(/exits with code 3 .* log: disk full$/);
    });

    it('a hook that fails: the end of its log, after helm has given up', async () => {
      const hook = { 'helm.sh/hook': 'pre-install' };
      const migrate = job('migrate', shell('echo "duplicate column"; exit 1'), {}, hook);
      expect(await releases.apply('hooked', [migrate])).toBe(1);
      const { judgement } = await releases.watch('hooked', { mode: 'once' });
      expect(judgement.cause).toMatchObject({ code: 'hook-failed', workload: 'Job/migrate' });
      expect(judgement.cause?.sentence).toContain('duplicate column');
    });
  });

  describe.concurrent('a rollout that is well is not troubled', () => {
    it('a slow start succeeds, and takes the time it takes', async () => {
      const exec = { command: ['cat', '/tmp/ready'] };
      const script = 'sleep 6; touch /tmp/ready; exec sleep inf';
      const spec = pod({ ...shell(script), readinessProbe: { exec, periodSeconds: 1 } });
      const { state, cause, log } = await deploy('slow', spec, {}, { replicas: 2 });
      expect(state).toBe('healthy');
      expect(cause).toBeUndefined();
      expect(log.join('\n')).toContain('0 of 2 new replicas available');
    });

    it('a StatefulSet with a partition, then as a whole', async () => {
      const at = (version: string, partition: number) =>
        workload(
          'StatefulSet',
          'parted',
          pod({ ...forever, env: [{ name: 'V', value: version }] }),
          {
            ...{ replicas: 2, serviceName: 'parted' },
            updateStrategy: { rollingUpdate: { partition } },
          },
        );
      await releases.apply('parted', [at('1', 0)]);
      expect((await releases.watch('parted')).judgement.state).toBe('healthy');
      await releases.apply('parted', [at('2', 1)]);
      const { judgement } = await releases.watch('parted');
      expect(judgement.services[0]).toMatchObject({
        state: 'healthy',
        note: 'healthy; StatefulSet/parted: partition 1: 1 pods keep the older template',
      });
    });

    it('a DaemonSet rolls, and with OnDelete waits for nobody', async () => {
      const at = (version: string, type: string) =>
        workload('DaemonSet', 'daemon', pod({ ...forever, env: [{ name: 'V', value: version }] }), {
          updateStrategy: { type },
        });
      await releases.apply('daemon', [at('1', 'RollingUpdate')]);
      expect((await releases.watch('daemon')).judgement.state).toBe('healthy');
      await releases.apply('daemon', [at('2', 'OnDelete')]);
      const { judgement } = await releases.watch('daemon');
      expect(judgement.state).toBe('healthy');
      expect(judgement.services[0]?.note).toContain('1 pods update when they are deleted');
    });

    it('a Job that removed itself after its success counts as complete', async () => {
      const brief = job('brief', shell('exit 0'), { ttlSecondsAfterFinished: 0 });
      await releases.apply('brief', [brief]);
      const { judgement } = await releases.watch('brief', { soakMs: 6_000 });
      expect(judgement.services[0]?.note).toBe('healthy; Job/brief: ended and is gone by now');
    });

    it('what a schedule has switched off is asleep', async () => {
      const off = workload('Deployment', 'sleeper', pod(forever), { replicas: 0 });
      const annotations = { 'downscaler/uptime': 'Mon-Fri 07:50-18:05 Europe/London' };
      await releases.apply('sleeper', [{ ...off, metadata: { name: 'sleeper', annotations } }]);
      const { judgement } = await releases.watch('sleeper');
      expect(judgement.state).toBe('healthy');
      expect(judgement.services[0]).toMatchObject({
        health: 'asleep',
        note: 'Deployment/sleeper: asleep by schedule until 07:50 Europe/London',
      });
    });

    it('a paused rollout is waited for, and named when the time is up', async () => {
      const at = (version: string, paused: boolean) =>
        workload(
          'Deployment',
          'paused',
          pod({ ...forever, env: [{ name: 'V', value: version }] }),
          {
            paused,
          },
        );
      await releases.apply('paused', [at('1', false)]);
      expect((await releases.watch('paused')).judgement.state).toBe('healthy');
      await releases.apply('paused', [at('2', true)]);
      const { judgement } = await releases.watch('paused', { timeoutMs: 4_000 });
      expect(judgement.state).toBe('progressing');
      expect(judgement.cause).toMatchObject({ code: 'progress-deadline', reason: 'Paused' });
      expect(judgement.cause?.sentence).toContain('is paused');
    });
  });
});

/** Applies a Deployment with this pod and watches it to its end. */
async function deploy(
  name: string,
  podSpec: Parameters<typeof workload>[2],
  policy: Parameters<Releases['watch']>[1] = {},
  spec: Parameters<typeof workload>[3] = {},
) {
  expect(await releases.apply(name, [workload('Deployment', name, podSpec, spec)])).toBe(0);
  const { judgement, log } = await releases.watch(name, policy);
  return { state: judgement.state, cause: judgement.cause, log };
}
