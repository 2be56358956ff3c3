import { describe, expect, test } from 'vitest';
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
