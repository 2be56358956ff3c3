import { describe, expect, test } from 'vitest';
import { findHelmDrift } from '../../../src/domain/drift/helm.ts';
import type { RecordedService } from '../../../src/domain/plan/plan-services.ts';
import type { HelmReleaseFacts } from '../../../src/domain/services.ts';

const left: RecordedService = { name: 'api', lastEnd: 'succeeded', helmRevision: 4 };
const runs = (change: Partial<HelmReleaseFacts> = {}): HelmReleaseFacts => ({
  ...{ service: 'api', helmRevision: 4, status: 'deployed', chartVersion: '1.0.0' },
  description: 'slipway dep_1/1 abc',
  ...change,
});

describe('a Helm release that is not as it was left', () => {
  test.each<[string, RecordedService[], HelmReleaseFacts[], string[]]>([
    ['nothing', [left], [runs()], []],
    ['gone', [left], [], ['api missing']],
    ['gone, with its history kept', [left], [runs({ status: 'uninstalled' })], ['api missing']],
    ['another revision', [left], [runs({ helmRevision: 5 })], ['api revision']],
    ['failed', [left], [runs({ status: 'failed' })], ['api status']],
    [
      'one that nobody released from here',
      [left],
      [runs(), runs({ service: 'x' })],
      ['x undeclared'],
    ],
    ['one whose last deployment failed, as was said', [{ ...left, lastEnd: 'failed' }], [], []],
    [
      'of a service that never succeeded',
      [{ name: 'api', lastEnd: 'failed' }],
      [runs({ status: 'failed' })],
      [],
    ],
    ['adopted without a revision', [{ name: 'api', lastEnd: 'succeeded' }], [runs()], []],
  ])('%s', (_title, recorded, releases, told) => {
    const found = findHelmDrift(recorded, releases);
    expect(found.map(({ service, finding }) => `${service} ${finding}`)).toEqual(told);
  });

  test('says who made the revision', () => {
    const [finding] = findHelmDrift(
      [left],
      [runs({ helmRevision: 7, description: 'Rollback to 2' })],
    );
    expect(finding?.note).toBe('revision 7 is not the one that was left (4): Rollback to 2');
  });
});
