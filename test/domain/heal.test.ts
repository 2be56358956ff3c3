import { expect, test } from 'vitest';
import { decideRemedy } from '../../src/domain/heal.ts';
import { rollbackDescription } from '../../src/domain/rollback.ts';
import type { HelmReleaseFacts } from '../../src/domain/services.ts';

const how = { helmTimeoutMs: 600_000 };
const interrupted = ['pending-install', 'pending-upgrade', 'pending-rollback', 'uninstalling'];

test.each(interrupted)(
  '%s of a Slipway that is gone is marked failed, and says of which',
  (status) => {
    const remedy = decideRemedy(release({ status, deploymentId: 'dep_1' }), 0, how);
    expect(remedy).toMatchObject({ do: 'mark-failed' });
    expect(remedy).toHaveProperty('because', expect.stringContaining('dep_1'));
  },
);

test('a rollback of ours is known by its description: its labels are those of its target', () => {
  const description = rollbackDescription('dep_9', 2);
  for (const labels of [{}, { deploymentId: 'dep_1' }]) {
    const pending = release({ status: 'pending-rollback', description, ...labels });
    const remedy = decideRemedy(pending, 0, how);
    expect(remedy).toMatchObject({ do: 'mark-failed' });
    expect(remedy).toHaveProperty('because', expect.stringContaining('rollback of dep_9'));
  }
});

test.each(interrupted)('%s of somebody else is waited for', (status) => {
  expect(decideRemedy(release({ status }), 0, how)).toMatchObject({ do: 'wait' });
});

test.each(['apply', 'rollback'] as const)(
  'what an interrupted %s of ours leaves without our labels is marked failed all the same',
  (operation) => {
    const known = { ...how, interrupted: operation };
    for (const status of ['pending-rollback', 'uninstalling']) {
      const remedy = decideRemedy(release({ status }), 0, known);
      expect(remedy).toMatchObject({ do: 'mark-failed' });
      expect(remedy).toHaveProperty('because', expect.stringContaining(operation));
    }
    // An install or upgrade of ours carries its labels from its first moment.
    expect(decideRemedy(release({ status: 'pending-upgrade' }), 0, known).do).toBe('wait');
  },
);

test('what somebody else left for longer than helm works asks a person, and says what to do', () => {
  const remedy = decideRemedy(release({ status: 'pending-upgrade' }), 3_600_000, how);
  expect(remedy).toMatchObject({ do: 'wait' });
  expect(remedy).toHaveProperty('because', expect.stringContaining('helm rollback example-api'));
});

test.each(['deployed', 'failed', 'superseded', 'uninstalled'])('%s needs no remedy', (status) => {
  expect(decideRemedy(release({ status }), 3_600_000, how)).toEqual({ do: 'nothing' });
});

function release(change: Partial<HelmReleaseFacts>): HelmReleaseFacts {
  return {
    service: 'example-api',
    helmRevision: 3,
    status: 'deployed',
    description: '',
    chartVersion: '1.0.0',
    ...change,
  };
}
