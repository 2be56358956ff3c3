import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RecordedService } from '../../src/domain/plan/plan-services.ts';
import {
  decideRollback,
  isTakenBack,
  rollbackDescription,
  type RollbackStep,
} from '../../src/domain/rollback.ts';
import type { HelmReleaseFacts, PlannedService } from '../../src/domain/services.ts';

const ME = 'dep_1';
const good = (helmRevision: number, change: Partial<HelmReleaseFacts> = {}) =>
  revision(helmRevision, { deploymentId: 'dep_0', description: 'slipway dep_0/1 c0', ...change });
const mine = (helmRevision: number, change: Partial<HelmReleaseFacts> = {}) =>
  revision(helmRevision, { status: 'failed', description: 'Upgrade failed', ...change });
const success: RecordedService = {
  ...{ name: 'api', lastEnd: 'succeeded', helmRevision: 3, commit: 'c0' },
};

test.each<[string, HelmReleaseFacts[], RollbackStep[]]>([
  ['that was upgraded returns to the revision before', [good(3), mine(4)], [returnTo(3)]],
  ['returns there after several attempts', [good(3), mine(4), mine(5)], [returnTo(3)]],
  [
    'that is deployed and unhealthy returns too',
    [good(3, { status: 'superseded' }), mine(4, { status: 'deployed', description: 'slipway ' })],
    [returnTo(3)],
  ],
  ['that was not reached is left alone', [good(3)], []],
  [
    'that somebody deployed since is left alone',
    [good(3), mine(4), mine(5, { status: 'deployed', description: 'Upgrade complete' })],
    [],
  ],
  ['that is gone is left alone', [], []],
  [
    'whose rollback was interrupted returns again',
    [good(3), mine(4), good(5, { status: 'failed', description: 'it was pending-rollback' })],
    [returnTo(3)],
  ],
  [
    'that was taken back before is done',
    [good(3), mine(4), good(5, { description: rollbackDescription(ME, 3) })],
    [{ service: 'api', do: 'done', to: 3, helmRevision: 5 }],
  ],
  [
    'whose revision Helm has forgotten gets the commit of its last success again',
    [mine(4)],
    [{ service: 'api', do: 'apply-again', commit: 'c0' }],
  ],
])('a service %s', (_title, history, steps) => {
  const question = { planned: [planned('api', 3)], history, recorded: [success] };
  expect(decideRollback({ ...question, deploymentId: ME })).toEqual(steps);
});

test('what ran before by hand is returned to, though it was no success of ours', () => {
  const history = [good(3), revision(4, { description: 'Upgrade complete' }), mine(5)];
  expect(decide([planned('api', 4)], history)).toEqual([returnTo(4)]);
});

test.each([
  ['had failed', revision(4, { status: 'failed' })],
  ['never became healthy', revision(4, { description: 'slipway dep_00/1 c00' })],
])('where what ran before %s, it returns to the last success', (_title, before) => {
  expect(decide([planned('api', 4)], [good(3), before, mine(5)])).toEqual([returnTo(3)]);
});

test('a service that was not there before stays: nothing is removed unasked', () => {
  expect(decide([planned('new')], [mine(1, { service: 'new' })])).toEqual([
    { service: 'new', do: 'leave', because: 'it was not there before' },
  ]);
});

test('a service that the deployment uninstalled comes back with the commit of its last success', () => {
  const gone: PlannedService = { ...planned('api', 3), action: 'uninstall' };
  expect(decide([gone], [])).toEqual([{ service: 'api', do: 'apply-again', commit: 'c0' }]);
});

test('without a revision or a recorded success it stays, and says why', () => {
  const question = { planned: [planned('api', 3)], history: [mine(4)], deploymentId: ME };
  expect(decideRollback({ ...question, recorded: [] })).toMatchObject([
    { do: 'leave', because: expect.stringContaining('no success of it is recorded') as string },
  ]);
});

test('only a bad release is taken back', () => {
  const cause = { code: 'crash-loop', sentence: '' } as const;
  expect(isTakenBack('failed', cause)).toBe(true);
  expect(isTakenBack('errored', cause)).toBe(false);
  expect(isTakenBack('failed', { ...cause, code: 'workload-missing' })).toBe(false);
});

test('nothing that the deployment did not plan or not reach is ever touched', () => {
  const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'));
  fc.assert(
    fc.property(names, names, names, (plannedNames, installed, reached) => {
      const history = installed.flatMap((service) => [
        good(1, { service }),
        ...(reached.includes(service) ? [mine(2, { service })] : []),
      ]);
      const steps = decide(
        plannedNames.map((name) => planned(name, 1)),
        history,
      );
      const touched = steps.map(({ service }) => service);
      expect(touched).toEqual(
        plannedNames.filter((name) => installed.includes(name) && reached.includes(name)),
      );
    }),
  );
});

function decide(services: PlannedService[], history: HelmReleaseFacts[]): RollbackStep[] {
  return decideRollback({ planned: services, history, recorded: [success], deploymentId: ME });
}

function returnTo(to: number): RollbackStep {
  return { service: 'api', do: 'return', to };
}

function planned(name: string, helmRevision?: number): PlannedService {
  return { name, chart: 'charts/x', ...(helmRevision === undefined ? {} : { helmRevision }) };
}

function revision(helmRevision: number, change: Partial<HelmReleaseFacts>): HelmReleaseFacts {
  return {
    ...{ service: 'api', helmRevision, status: 'deployed', description: '' },
    ...{ chartVersion: '1.0.0', deploymentId: ME },
    ...change,
  };
}
