import { describe, expect, test } from 'vitest';
import { healthOf, mergeHealth, worstHealth, type ServiceHealth } from '../../src/domain/health.ts';
import type { WorkloadVerdict } from '../../src/domain/rollout.ts';
import type { RolloutJudgement } from '../../src/domain/services.ts';

type Judged = RolloutJudgement['services'][number];

describe('what one look found', () => {
  test.each<[Partial<Judged>, boolean, string]>([
    [{ state: 'healthy' }, false, 'healthy'],
    [{ state: 'healthy', health: 'asleep' }, false, 'asleep'],
    [{ state: 'progressing' }, false, 'progressing'],
    [{ state: 'applying' }, false, 'progressing'],
    [{ state: 'waiting' }, false, 'progressing'],
    [{ state: 'failed' }, false, 'degraded'],
    [{ state: 'progressing' }, true, 'degraded'],
    [{ state: 'healthy' }, true, 'healthy'],
  ])('%j, when the time is up: %j, is %s', (judged, late, state) => {
    const judgement = { state: 'progressing' as const, services: [service('api', judged)] };
    expect(healthOf(judgement, [], late)).toMatchObject([{ service: 'api', state, note: 'so' }]);
  });

  test('names the workloads of each service, with their trouble, and no hooks', () => {
    const trouble = { code: 'crash-loop', sentence: 'Container "app" exits with 1.' } as const;
    const services = [service('api', {}), service('web', {})];
    const verdicts = [
      verdict('api', 'Deployment/api', { state: 'failed', trouble }),
      verdict('api', 'Job/migrate', { hook: true }),
      verdict('web', 'Deployment/web', { asleep: true, note: 'asleep by schedule' }),
    ];
    const [api, web] = healthOf({ state: 'failed', services }, verdicts, false);
    expect(api?.workloads).toEqual([
      { workload: 'Deployment/api', state: 'degraded', note: trouble.sentence },
    ]);
    expect(web?.workloads).toEqual([
      { workload: 'Deployment/web', state: 'asleep', note: 'asleep by schedule' },
    ]);
  });
});

describe('what is known after a look', () => {
  const known = [health('api', 'asleep'), health('web', 'healthy')];

  test('replaces what it looked at, and keeps the rest', () => {
    const merged = mergeHealth(
      known,
      [health('api', 'degraded'), health('audit', 'healthy')],
      false,
    );
    expect(merged.map(({ service, state }) => [service, state])).toEqual([
      ['api', 'degraded'],
      ['audit', 'healthy'],
      ['web', 'healthy'],
    ]);
  });

  test('of some workloads keeps the others of their service', () => {
    const restarted = { workload: 'Deployment/web-cache', state: 'degraded', note: 'so' } as const;
    const news = { ...health('web', 'degraded'), workloads: [restarted] };
    const web = mergeHealth(known, [news, news], true).find(({ service }) => service === 'web');
    expect(web).toMatchObject({ state: 'degraded' });
    expect(web?.workloads.map(({ workload }) => workload)).toEqual([
      'Deployment/web',
      'Deployment/web-cache',
    ]);
  });

  test('is as bad as the worst of it', () => {
    expect(worstHealth(known)).toBe('asleep');
    expect(worstHealth([...known, health('x', 'progressing')])).toBe('progressing');
    expect(worstHealth([])).toBe('healthy');
  });
});

function service(name: string, change: Partial<Judged>): Judged {
  return { service: name, state: 'healthy', note: 'so', ...change };
}

function verdict(of: string, workload: string, change: Partial<WorkloadVerdict>): WorkloadVerdict {
  return { service: of, workload, state: 'healthy', progress: '1 of 1', ...change };
}

function health(name: string, state: ServiceHealth['state']): ServiceHealth {
  const workloads = [{ workload: `Deployment/${name}`, state, note: '' }];
  return { service: name, state, note: '', workloads };
}
