import { describe, expect, test } from 'vitest';
import type { WorkloadVerdict } from '../../src/domain/rollout.ts';
import {
  judgeAfterApply,
  judgeTakenBack,
  judgeWhileApplying,
  type HelmReleaseFacts,
} from '../../src/domain/services.ts';

const planned = [
  { name: 'api', chart: 'charts/api', chartVersion: '1.0.0' },
  { name: 'web', chart: 'charts/web', chartVersion: '1.0.0' },
];
const ours = { deploymentId: 'dep_1', attempt: 1 };

describe('a deployment succeeded only if each service', () => {
  test('has its own newest revision deployed, of the planned chart, and healthy workloads', () => {
    const facts = { helmReleases: [helm('api'), helm('web')], workloads: [healthy('api')] };
    expect(judgeAfterApply(planned, facts, ours).state).toBe('healthy');
  });

  test.each<[string, Partial<HelmReleaseFacts>, string]>([
    ['was made by this deployment', { deploymentId: 'dep_0' }, 'helm-failed'],
    ['is deployed', { status: 'failed', description: 'Upgrade failed' }, 'helm-failed'],
    ['is not still pending', { status: 'pending-upgrade' }, 'helm-locked'],
    ['holds the planned chart version', { chartVersion: '0.9.0' }, 'helm-failed'],
    ['was not rolled back by helm itself', { description: 'Rollback to 3' }, 'helm-rolled-back'],
  ])('%s', (_title, change, code) => {
    const facts = { helmReleases: [helm('api', change), helm('web')], workloads: [] };
    expect(judgeAfterApply(planned, facts, ours)).toMatchObject({
      state: 'failed',
      cause: { code, service: 'api' },
    });
  });

  test('exists at all', () => {
    const facts = { helmReleases: [helm('api')], workloads: [] };
    expect(judgeAfterApply(planned, facts, ours)).toMatchObject({
      state: 'failed',
      cause: { service: 'web' },
    });
  });

  test('has converged: until then it progresses', () => {
    const workloads = [{ ...healthy('web'), state: 'progressing' as const, progress: '0 of 2' }];
    const facts = { helmReleases: [helm('api'), helm('web')], workloads };
    const judgement = judgeAfterApply(planned, facts, ours);
    expect(judgement.state).toBe('progressing');
    expect(judgement.services[1]).toMatchObject({ service: 'web', note: 'Deployment/web: 0 of 2' });
  });
});

test('what was taken back is healthy when its own revision is the newest, deployed and healthy', () => {
  const services = [{ name: 'api', chart: '', helmRevision: 7 }];
  const back = (change: Partial<HelmReleaseFacts>, workloads = [healthy('api')]) =>
    judgeTakenBack(services, { helmReleases: [helm('api', change)], workloads }).state;
  const returned = { helmRevision: 7, deploymentId: 'dep_0' };
  expect(back(returned)).toBe('healthy');
  expect(back(returned, [bad('api')])).toBe('failed');
  expect(back({ ...returned, helmRevision: 8 })).toBe('failed');
  expect(back({ ...returned, status: 'failed' })).toBe('failed');
});

describe('an apply is ended early', () => {
  const pending = { status: 'pending-upgrade' };

  test('when everything that still runs has definitely failed', () => {
    const facts = { helmReleases: [helm('api', pending), helm('web')], workloads: [bad('api')] };
    expect(judgeWhileApplying(planned, facts, ours)).toMatchObject({
      state: 'failed',
      cause: { code: 'image-not-found', service: 'api' },
    });
  });

  test('not while another service may still succeed', () => {
    const helmReleases = [helm('api', pending), helm('web', pending)];
    const judgement = judgeWhileApplying(planned, { helmReleases, workloads: [bad('api')] }, ours);
    expect(judgement.state).toBe('progressing');
    expect(judgement.cause?.code).toBe('image-not-found');
  });

  test('not for the troubles that the deployment before left behind', () => {
    const helmReleases = [helm('api', { ...pending, deploymentId: 'dep_0' }), helm('web', pending)];
    const facts = { helmReleases, workloads: [bad('api')] };
    expect(judgeWhileApplying(planned, facts, ours).state).toBe('progressing');
  });

  test('not before anything was started', () => {
    const facts = { helmReleases: [], workloads: [bad('api')] };
    expect(judgeWhileApplying(planned, facts, ours).state).toBe('progressing');
  });
});

test('when helm has given up by itself, the workload says why in better words', () => {
  const failed = helm('api', { status: 'failed', description: 'context deadline exceeded' });
  const facts = { helmReleases: [failed, helm('web')], workloads: [bad('api')] };
  expect(judgeWhileApplying(planned, facts, ours).cause?.code).toBe('image-not-found');
});

function helm(service: string, change: Partial<HelmReleaseFacts> = {}): HelmReleaseFacts {
  return {
    service,
    helmRevision: 4,
    status: 'deployed',
    description: 'slipway dep_1/1',
    chartVersion: '1.0.0',
    ...ours,
    ...change,
  };
}

function healthy(service: string): WorkloadVerdict {
  return { service, workload: `Deployment/${service}`, state: 'healthy', progress: '2 of 2' };
}

function bad(service: string): WorkloadVerdict {
  const trouble = {
    code: 'image-not-found' as const,
    sentence: 'The image does not exist.',
    service,
  };
  return { ...healthy(service), state: 'failed', trouble };
}
