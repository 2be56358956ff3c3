import { describe, expect, test } from 'vitest';
import { recentRestartsOf, withRecentRestarts } from '../../src/domain/recent-restarts.ts';
import { assessWorkload, type WorkloadFacts } from '../../src/domain/rollout.ts';

const policy = { timeoutMs: 600_000, soakMs: 30_000, restartsMax: 5 };
const IMAGE = 'registry.example/api:2.0.0-missing';
// As containerd says it through the kubelet.
const NOT_FOUND = `Back-off pulling image "${IMAGE}": ErrImagePull: failed to pull and unpack image "${IMAGE}": failed to resolve reference "${IMAGE}": ${IMAGE}: not found`;

describe('a workload is healthy', () => {
  test('when the new generation is observed, updated and available, and nothing old is left', () => {
    expect(assessWorkload(workload(), policy).state).toBe('healthy');
  });

  test('when it is scaled to zero', () => {
    expect(assessWorkload(workload({ desired: 0, updated: 0, available: 0 }), policy).state).toBe(
      'healthy',
    );
  });

  test('when all completions of a Job succeeded', () => {
    expect(assessWorkload(workload({ kind: 'Job' }), policy).state).toBe('healthy');
  });
});

describe('crashes', () => {
  const exit = { lastExit: { reason: 'Error', exitCode: 1 }, restarts: 9 };
  const with9 = (container: Partial<WorkloadFacts['pods'][number]['containers'][number]>) => {
    const app = { name: 'api', image: IMAGE, ...exit, ...container };
    return workload({ pods: [{ name: 'api-1', containers: [app] }] });
  };

  test('of the months before do not count', () => {
    const ready = with9({ ready: true, recentRestarts: 0 });
    expect(assessWorkload(ready, policy)).toMatchObject({ state: 'healthy' });
    const late = { ...with9({ recentRestarts: 0 }), available: 1 };
    expect(assessWorkload(late, policy).state).toBe('progressing');
  });

  test('that go on count, although the container serves in between', () => {
    const few = assessWorkload(with9({ ready: true, recentRestarts: 2 }), policy);
    expect(few).toMatchObject({ state: 'healthy', trouble: { code: 'crash-loop' } });
    const many = assessWorkload(with9({ ready: true, recentRestarts: 6 }), policy);
    expect(many).toMatchObject({ state: 'failed', trouble: { code: 'crash-loop' } });
  });

  test('are counted from when a container was first seen', () => {
    const firstSeen = new Map<string, number>();
    expect(recentRestartsOf(withRecentRestarts([with9({})], firstSeen))).toBe(0);
    expect(recentRestartsOf(withRecentRestarts([with9({ restarts: 11 })], firstSeen))).toBe(2);
  });
});

describe('a workload is not healthy yet', () => {
  test.each([
    ['before the cluster has seen the change', { observedGeneration: 1 }],
    ['while replicas are missing', { updated: 1 }],
    ['while new replicas are not available', { available: 1 }],
    ['while old pods still run', { old: 1 }],
  ])('%s', (_when, facts) => {
    expect(assessWorkload(workload(facts), policy).state).toBe('progressing');
  });

  test('old pods that still serve prove nothing', () => {
    const facts = workload({ updated: 1, available: 0, old: 2, pods: [pod({})] });
    expect(assessWorkload(facts, policy).state).toBe('progressing');
  });
});

describe('an image that does not exist is a definite failure', () => {
  test.each([
    ['ErrImagePull', `failed to resolve reference "${IMAGE}": ${IMAGE}: not found`],
    ['ImagePullBackOff', NOT_FOUND],
    ['ImagePullBackOff', 'manifest unknown: manifest unknown'],
    ['InvalidImageName', 'couldn\'t parse image name "a b": invalid reference format'],
  ])('%s: %s', (reason, message) => {
    const facts = workload({ updated: 1, available: 0, old: 2, pods: [pod({ reason, message })] });
    const verdict = assessWorkload(facts, policy);
    expect(verdict.state).toBe('failed');
    expect(verdict.trouble).toMatchObject({
      code: 'image-not-found',
      service: 'example-api',
      workload: 'Deployment/api',
      container: 'api',
      image: IMAGE,
      reason,
    });
    expect(verdict.trouble?.sentence).toContain(IMAGE);
  });

  test.each([
    ['a slow pull just waits', 'ContainerCreating', ''],
    [
      'a back-off without a reason just waits',
      'ImagePullBackOff',
      `Back-off pulling image "${IMAGE}"`,
    ],
    ['a registry that is away may come back', 'ErrImagePull', 'dial tcp: i/o timeout'],
    [
      'a refusal may be a token that is about to be renewed',
      'ErrImagePull',
      'pull access denied, repository does not exist or may require authorization',
    ],
  ])('%s', (_title, reason, message) => {
    const facts = workload({ available: 0, pods: [pod({ reason, message })] });
    expect(assessWorkload(facts, policy).state).toBe('progressing');
  });
});

describe('other definite failures', () => {
  test('more crashes than are allowed', () => {
    const crashed = pod({ restarts: 6, lastExit: { reason: 'Error', exitCode: 1 } });
    const verdict = assessWorkload(workload({ available: 0, pods: [crashed] }), policy);
    expect(verdict.state).toBe('failed');
    expect(verdict.trouble?.code).toBe('crash-loop');
    expect(verdict.trouble?.sentence).toContain('exits with code 1');
  });

  test('fewer crashes are shown, but waited for', () => {
    const crashed = pod({ restarts: 2, lastExit: { reason: 'Error', exitCode: 1 } });
    const verdict = assessWorkload(workload({ available: 0, pods: [crashed] }), policy);
    expect(verdict).toMatchObject({ state: 'progressing', trouble: { code: 'crash-loop' } });
  });

  test.each([
    ['Deployment', 'ProgressDeadlineExceeded', 'timed out progressing', 'progress-deadline'],
    ['Deployment', 'FailedCreate', 'pods "x" is forbidden: exceeded quota: small', 'quota'],
    ['Deployment', 'FailedCreate', 'admission webhook "p" denied the request', 'admission-denied'],
    ['Job', 'BackoffLimitExceeded', 'Job has reached the limit', 'job-failed'],
  ] as const)('%s %s', (kind, reason, message, code) => {
    const facts = workload({ kind, available: 0, failure: { reason, message } });
    expect(assessWorkload(facts, policy)).toMatchObject({ state: 'failed', trouble: { code } });
  });
});

describe('what looks unfinished and is not', () => {
  const sleep = { uptime: 'Mon-Fri 07:50-18:05 Europe/London', originalReplicas: 2 };
  const asleep = { desired: 0, updated: 0, available: 0 };

  test.each([
    ['uptime', sleep, 'asleep by schedule until 07:50 Europe/London with 2 replicas'],
    [
      'downtime',
      { downtime: 'Mon-Sun 18:05-07:50 Europe/London' },
      'asleep by schedule until 07:50 Europe/London',
    ],
    [
      'a richer schedule is quoted',
      { downtime: 'Sat-Sun 00:00-24:00 UTC, Fri 20:00-24:00 UTC' },
      'asleep by the schedule "downtime Sat-Sun 00:00-24:00 UTC, Fri 20:00-24:00 UTC"; wakes by it',
    ],
    [
      'only what the downscaler remembers',
      { originalReplicas: 3 },
      'asleep by the schedule of its namespace; wakes with 3 replicas',
    ],
  ])('scaled to zero by schedule it is asleep: %s', (_title, schedule, note) => {
    const verdict = assessWorkload(workload({ ...asleep, sleep: schedule }), policy);
    expect(verdict).toMatchObject({ state: 'healthy', asleep: true, note });
  });

  test('with a schedule, while it is awake, it is judged like any other', () => {
    expect(assessWorkload(workload({ available: 1, sleep }), policy).state).toBe('progressing');
    expect(assessWorkload(workload({ sleep }), policy).asleep).toBeUndefined();
  });

  test('update strategy OnDelete: the change is observed, pods follow when they are deleted', () => {
    const facts = {
      kind: 'StatefulSet',
      updated: 0,
      available: 0,
      updatesOnDelete: { waiting: 2 },
    };
    expect(assessWorkload(workload(facts), policy)).toMatchObject({
      state: 'healthy',
      note: 'update strategy OnDelete: 2 pods update when they are deleted',
    });
  });

  test('with OnDelete the pods that did update must run', () => {
    const facts = { kind: 'DaemonSet', updated: 1, available: 0, updatesOnDelete: { waiting: 1 } };
    expect(assessWorkload(workload(facts), policy).state).toBe('progressing');
    const fresh = { updated: 1, available: 1, updatesOnDelete: { waiting: 0 } };
    expect(assessWorkload(workload(fresh), policy).state).toBe('progressing');
  });

  test("a StatefulSet's partition keeps pods below it on the older template", () => {
    const facts = { kind: 'StatefulSet', desired: 3, updated: 1, available: 1, partition: 2 };
    expect(assessWorkload(workload(facts), policy)).toMatchObject({
      state: 'healthy',
      progress: '1 of 1 new replicas available',
      note: 'partition 2: 2 pods keep the older template',
    });
    const late = { ...facts, available: 0 };
    expect(assessWorkload(workload(late), policy).state).toBe('progressing');
  });

  const scaling = {
    desired: 5,
    updated: 5,
    available: 3,
    autoscaled: true,
    rolledOut: true,
  } as const;

  test('an autoscaler that scales up is no rollout', () => {
    expect(assessWorkload(workload(scaling), policy)).toMatchObject({
      state: 'healthy',
      note: 'the autoscaler is scaling to 5 replicas',
    });
    const failure = { reason: 'FailedCreate', message: 'exceeded quota: small' };
    expect(assessWorkload(workload({ ...scaling, failure }), policy).state).toBe('healthy');
  });

  test.each([
    ['before the new template ran everywhere', { ...scaling, rolledOut: undefined }],
    ['while old pods run', { ...scaling, old: 1 }],
    ['while nothing is available', { ...scaling, available: 0 }],
    [
      'while a new pod crashes',
      { ...scaling, pods: [pod({ restarts: 1, lastExit: { reason: 'Error', exitCode: 1 } })] },
    ],
  ])('an autoscaler excuses nothing %s', (_when, { rolledOut, ...facts }) => {
    const complete = workload({ ...facts, ...(rolledOut ? { rolledOut } : {}) });
    expect(assessWorkload(complete, policy).state).toBe('progressing');
  });
});

describe('Jobs', () => {
  const job = { complete: false, failedPods: 0, backoffLimit: 6, vanishes: false };
  const running = { kind: 'Job', desired: 1, updated: 1, available: 0, job };
  const gone = { ...running, missing: true as const };

  test('one that is complete is healthy, whatever it counted', () => {
    const facts = { ...running, job: { ...job, complete: true, failedPods: 2 } };
    expect(assessWorkload(workload(facts), policy).state).toBe('healthy');
  });

  test('one that tries again is waited for, and says how often it failed', () => {
    const pods = [pod({ lastExit: { reason: 'Error', exitCode: 3 } })];
    const facts = { ...running, job: { ...job, failedPods: 1 }, pods };
    const verdict = assessWorkload(workload(facts), policy);
    expect(verdict).toMatchObject({ state: 'progressing', trouble: { code: 'job-failed' } });
    expect(verdict.trouble?.sentence).toContain('exits with code 3 (Error); 1 of 7 tries failed');
  });

  test('one that is gone counts as complete if it removes itself after its end', () => {
    const facts = { ...gone, job: { ...job, vanishes: true } };
    expect(assessWorkload(workload(facts), policy).state).toBe('healthy');
  });

  test('one that is gone counts as complete if it was seen complete', () => {
    const complete = { ...running, job: { ...job, complete: true } };
    const seen = new Map([['Job/api', assessWorkload(workload(complete), policy)]]);
    expect(assessWorkload(workload(gone), policy, seen).state).toBe('healthy');
    expect(assessWorkload(workload(gone), policy).state).toBe('progressing');
  });

  test('one that was seen failed stays failed, also when it is gone', () => {
    const failure = { reason: 'BackoffLimitExceeded', message: 'Job has reached the limit' };
    const vanishing = { ...job, vanishes: true };
    const failed = assessWorkload(workload({ ...running, failure, job: vanishing }), policy);
    const after = assessWorkload(
      workload({ ...gone, job: vanishing }),
      policy,
      new Map([['Job/api', failed]]),
    );
    expect(after).toMatchObject({ state: 'failed', trouble: { code: 'job-failed' } });
  });

  test('one of a hook fails as a hook', () => {
    const failure = { reason: 'BackoffLimitExceeded', message: 'Job has reached the limit' };
    const facts = workload({ ...running, hook: true, failure });
    expect(assessWorkload(facts, policy)).toMatchObject({
      state: 'failed',
      hook: true,
      trouble: { code: 'hook-failed' },
    });
  });
});

describe('what stands still says so', () => {
  test.each([
    ['Deployment', 'The rollout of Deployment/api of example-api is paused'],
    ['Job', 'Job/api of example-api is suspended'],
  ])('a paused %s is waited for', (kind, sentence) => {
    const job = { complete: false, failedPods: 0, backoffLimit: 6, vanishes: false };
    const facts = { kind, updated: 0, available: 0, paused: true as const };
    const verdict = assessWorkload(workload(kind === 'Job' ? { ...facts, job } : facts), policy);
    expect(verdict).toMatchObject({ state: 'progressing', trouble: { code: 'progress-deadline' } });
    expect(verdict.trouble?.sentence).toContain(sentence);
  });

  test('a pause that changes nothing is none', () => {
    expect(assessWorkload(workload({ paused: true }), policy).state).toBe('healthy');
  });

  test('what Helm declares and the cluster lacks is not healthy', () => {
    const verdict = assessWorkload(workload({ missing: true }), policy);
    expect(verdict).toMatchObject({ state: 'progressing', progress: 'it is not in the cluster' });
  });

  test('a pod that no node takes names the scheduler’s reason', () => {
    const message = '0/1 nodes are available: 1 Insufficient cpu.';
    const pods = [{ name: 'api-1', containers: [], unschedulable: message }];
    const verdict = assessWorkload(workload({ available: 0, pods }), policy);
    expect(verdict).toMatchObject({ state: 'progressing', trouble: { code: 'unschedulable' } });
    expect(verdict.trouble?.sentence).toContain(message);
  });
});

describe('a custom resource is judged by what it says of itself', () => {
  const condition = { type: 'Ready', status: 'True', reason: 'Issued', message: '' };

  test.each([
    ['ready', [condition], 'healthy'],
    ['without conditions, such as mere settings', [], 'healthy'],
    ['with other conditions only', [{ ...condition, type: 'Reconciling' }], 'healthy'],
    ['not ready', [{ ...condition, status: 'False' }], 'progressing'],
    ['not available', [{ ...condition, type: 'Available', status: 'Unknown' }], 'progressing'],
  ])('%s', (_what, conditions, state) => {
    const facts = workload({ kind: 'Certificate', conditions });
    expect(assessWorkload(facts, policy).state).toBe(state);
  });

  test('its own words are the trouble', () => {
    const conditions = [{ ...condition, status: 'False', reason: 'Pending', message: 'no issuer' }];
    const verdict = assessWorkload(workload({ kind: 'Certificate', conditions }), policy);
    expect(verdict.trouble?.sentence).toBe(
      'Certificate/api of example-api: Ready is False (Pending): no issuer',
    );
  });
});

describe('troubles of containers', () => {
  const late = (container: Partial<WorkloadFacts['pods'][number]['containers'][number]>) => {
    const base = { name: 'app', image: IMAGE, restarts: 0 };
    const pods = [{ name: 'api-1', containers: [{ ...base, ...container }] }];
    return assessWorkload(workload({ available: 0, pods }), policy).trouble;
  };

  test.each([
    [
      'out of memory',
      { restarts: 2, memoryLimit: '64Mi', lastExit: { reason: 'OOMKilled', exitCode: 137 } },
      'oom-killed',
      'its limit of 64Mi',
    ],
    [
      'an init container',
      { init: true as const, restarts: 1, lastExit: { reason: 'Error', exitCode: 7 } },
      'init-failed',
      'Init container "app" of example-api exits with code 7 (Error) and was restarted once.',
    ],
    [
      'a program that is not in the image',
      {
        restarts: 1,
        lastExit: { reason: 'StartError', exitCode: 128, message: 'exec: "/nope": not found' },
      },
      'crash-loop',
      'cannot be started (exec: "/nope": not found)',
    ],
    [
      'a ConfigMap that is not there',
      { waiting: { reason: 'CreateContainerConfigError', message: 'configmap "env" not found' } },
      'values-missing',
      'configmap "env" not found',
    ],
    [
      'a probe that is not content',
      { running: true as const, probes: { readiness: 'GET :8080/health' } },
      'readiness-failing',
      'runs but is not ready (readiness probe: GET :8080/health)',
    ],
  ])('%s', (_what, container, code, words) => {
    const trouble = late(container);
    expect(trouble).toMatchObject({ code, pod: 'api-1', container: 'app' });
    expect(trouble?.sentence).toContain(words);
  });

  test.each([
    ['an init container that ended well', { init: true as const, exitCode: 0 }],
    ['a container that runs again', { ready: true as const, running: true as const, exitCode: 1 }],
  ])('none: %s', (_what, { exitCode, ...container }) => {
    expect(late({ ...container, lastExit: { reason: 'x', exitCode } })).toBeUndefined();
  });

  test('a deadline is the lesser cause than what a pod says', () => {
    const pods = [pod({ restarts: 1, lastExit: { reason: 'Error', exitCode: 1 } })];
    const failure = { reason: 'ProgressDeadlineExceeded', message: 'timed out progressing' };
    const verdict = assessWorkload(workload({ available: 0, failure, pods }), policy);
    expect(verdict).toMatchObject({ state: 'failed', trouble: { code: 'crash-loop' } });
  });
});

function workload(facts: Partial<WorkloadFacts> = {}): WorkloadFacts {
  return {
    kind: 'Deployment',
    name: 'api',
    service: 'example-api',
    generation: 2,
    observedGeneration: 2,
    desired: 2,
    updated: 2,
    available: 2,
    old: 0,
    pods: [],
    ...facts,
  };
}

function pod(facts: {
  reason?: string;
  message?: string;
  restarts?: number;
  lastExit?: { reason: string; exitCode: number };
}): WorkloadFacts['pods'][number] {
  const { reason, message = '', restarts = 0, lastExit } = facts;
  return {
    name: 'api-1',
    containers: [
      {
        name: 'api',
        image: IMAGE,
        restarts,
        ...(reason ? { waiting: { reason, message } } : {}),
        ...(lastExit ? { lastExit } : {}),
      },
    ],
  };
}
