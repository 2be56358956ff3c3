import { expect, test } from 'vitest';
import { recordsOf } from '../../../src/domain/plan/service-records.ts';
import type { PlannedService, RolloutJudgement } from '../../../src/domain/services.ts';

const api: PlannedService = { name: 'api', chart: 'charts/api', fingerprint: 'input-1' };
const web: PlannedService = { name: 'web', chart: 'charts/web', fingerprint: 'input-2' };
const cause = { code: 'image-not-found', sentence: 'No such image.', service: 'api' } as const;
const vague = { code: 'helm-failed', sentence: 'Helm failed.' } as const;

const looks = (
  state: RolloutJudgement['state'],
  services: RolloutJudgement['services'],
): RolloutJudgement => ({ state, services });

const ends = (records: ReturnType<typeof recordsOf>) =>
  Object.fromEntries(records.map(({ name, end }) => [name, end]));

test('a success is remembered with the revision that was seen healthy', () => {
  const judgement = looks('healthy', [
    { service: 'api', state: 'healthy', note: 'healthy', helmRevision: 7 },
  ]);
  const records = recordsOf({ services: [api] }, { phase: 'succeeded' }, judgement);
  expect(records).toEqual([{ ...api, end: 'succeeded', helmRevision: 7 }]);
});

test('what runs already what the commit says is remembered, however the deployment ends', () => {
  for (const phase of ['unchanged', 'failed', 'cancelled', 'errored'] as const) {
    const plan = { services: [], adopted: [{ ...web, helmRevision: 3 }] };
    expect(recordsOf(plan, { phase }, undefined)).toEqual([
      { ...web, helmRevision: 3, end: 'succeeded' },
    ]);
  }
});

test('an uninstalled service is forgotten', () => {
  const gone = { ...api, action: 'uninstall' as const };
  const judgement = looks('healthy', [{ service: 'api', state: 'healthy', note: 'uninstalled' }]);
  expect(ends(recordsOf({ services: [gone] }, { phase: 'succeeded' }, judgement))).toEqual({
    api: 'removed',
  });
});

test('only who is to blame for a failure is remembered as failed, with its cause', () => {
  const judgement = looks('failed', [
    { service: 'api', state: 'failed', note: 'No such image.' },
    { service: 'web', state: 'waiting', note: 'not started yet' },
  ]);
  const records = recordsOf({ services: [api, web] }, { phase: 'failed', cause }, judgement);
  expect(records).toEqual([{ ...api, end: 'failed', cause }]);
});

test('who was not healthy in time is to blame', () => {
  const judgement = looks('progressing', [
    { service: 'api', state: 'progressing', note: '0 of 2 available' },
    { service: 'web', state: 'healthy', note: 'healthy', helmRevision: 2 },
  ]);
  const late = { code: 'rollout-timeout', sentence: 'Not healthy in time.' } as const;
  const records = recordsOf({ services: [api, web] }, { phase: 'failed', cause: late }, judgement);
  expect(records).toMatchObject([{ name: 'api', cause: { sentence: '0 of 2 available' } }]);
});

test('the only service of a plan is to blame, also where helm left nothing to look at', () => {
  const waiting = looks('progressing', [{ service: 'api', state: 'waiting', note: '' }]);
  for (const judgement of [undefined, waiting]) {
    const records = recordsOf({ services: [api] }, { phase: 'failed', cause: vague }, judgement);
    expect(ends(records)).toEqual({ api: 'failed' });
  }
});

test('nobody is to blame when the deployment was cancelled or could not be done', () => {
  for (const phase of ['cancelled', 'errored'] as const) {
    expect(recordsOf({ services: [api] }, { phase, cause: vague }, undefined)).toEqual([]);
  }
});

test('what was taken back stays remembered as failed', () => {
  const judgement = looks('failed', [{ service: 'api', state: 'failed', note: 'No such image.' }]);
  const records = recordsOf({ services: [api] }, { phase: 'rolled-back', cause }, judgement);
  expect(ends(records)).toEqual({ api: 'failed' });
});

test('a deployment that fails for what it did not touch remembers what it did', () => {
  const judgement = looks('healthy', [
    { service: 'web', state: 'healthy', note: 'healthy', helmRevision: 2 },
  ]);
  const records = recordsOf({ services: [web] }, { phase: 'failed', cause }, judgement);
  expect(ends(records)).toEqual({ web: 'succeeded' });
});
