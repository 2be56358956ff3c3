import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decideRollback } from '../../src/domain/rollback.ts';
import type { HelmReleaseFacts, PlannedService } from '../../src/domain/services.ts';

test('a service that this deployment upgraded returns to the revision before it', () => {
  expect(decideRollback([planned('api', 3)], [release('api', 4, 'dep_1')], 'dep_1')).toEqual([
    { service: 'api', to: 3 },
  ]);
});

test('after several attempts it is still the revision before the first of them', () => {
  expect(decideRollback([planned('api', 3)], [release('api', 6, 'dep_1')], 'dep_1')).toEqual([
    { service: 'api', to: 3 },
  ]);
});

test('a service that this deployment installed is uninstalled', () => {
  expect(decideRollback([planned('api')], [release('api', 1, 'dep_1')], 'dep_1')).toEqual([
    { service: 'api', to: 'uninstall' },
  ]);
});

test.each([
  ['was not reached', [release('api', 3, 'dep_0')]],
  ['was changed by somebody since', [release('api', 5)]],
  ['is gone', []],
])('a service that %s is left alone', (_what, helmReleases) => {
  expect(decideRollback([planned('api', 3)], helmReleases, 'dep_1')).toEqual([]);
});

test('nothing that the deployment did not plan is ever touched', () => {
  const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'));
  fc.assert(
    fc.property(names, names, (plannedNames, installed) => {
      const helmReleases = installed.map((name) => release(name, 2, 'dep_1'));
      const steps = decideRollback(
        plannedNames.map((name) => planned(name, 1)),
        helmReleases,
        'dep_1',
      );
      for (const { service } of steps) expect(plannedNames).toContain(service);
    }),
  );
});

function planned(name: string, helmRevision?: number): PlannedService {
  return { name, chart: 'charts/x', ...(helmRevision === undefined ? {} : { helmRevision }) };
}

function release(service: string, helmRevision: number, deploymentId?: string): HelmReleaseFacts {
  return {
    service,
    helmRevision,
    status: 'failed',
    description: '',
    chartVersion: '1.0.0',
    ...(deploymentId === undefined ? {} : { deploymentId }),
  };
}
