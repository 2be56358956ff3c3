import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  assessServices,
  decidePlan,
  servicesToCompare,
  type ChangedService,
  type DeclaredService,
  type PlanQuestion,
  type RecordedService,
} from '../../../src/domain/plan/plan-services.ts';
import type { HelmReleaseFacts } from '../../../src/domain/services.ts';

const cause = { code: 'image-not-found', sentence: 'It does not exist.' } as const;

const declared: DeclaredService = {
  name: 'api',
  removed: false,
  fingerprint: 'input-1',
  chartVersion: '6.1.1',
  chartDigest: 'sha-611',
};
const recorded: RecordedService = {
  name: 'api',
  fingerprint: 'input-1',
  helmRevision: 4,
  lastEnd: 'succeeded',
  chartVersion: '6.1.1',
  chartDigest: 'sha-611',
};
const release: HelmReleaseFacts = {
  service: 'api',
  helmRevision: 4,
  status: 'deployed',
  description: 'slipway dep_1/1 c0ffee',
  chartVersion: '6.1.1',
  deploymentId: 'dep_1',
};

interface Change {
  declared?: Partial<DeclaredService> | null;
  recorded?: Partial<RecordedService> | null;
  release?: Partial<HelmReleaseFacts> | null;
  question?: Partial<PlanQuestion>;
}

function question(change: Change = {}): PlanQuestion {
  const or = <T>(base: T, partial: Partial<T> | null | undefined): T[] =>
    partial === null ? [] : [{ ...base, ...partial }];
  return {
    declared: or(declared, change.declared),
    recorded: or(recorded, change.recorded),
    helmReleases: or(release, change.release),
    ...{ manual: false, force: false, chartRanges: 'hold', prune: false },
    ...change.question,
  };
}

test.each<[string, Change, Record<string, unknown>]>([
  ['unchanged when all is as the last success left it', {}, { state: 'unchanged' }],
  [
    'not installed',
    { recorded: null, release: null },
    { reason: 'not installed', adoptable: false },
  ],
  ['not installed any more, whoever removed it', { release: null }, { reason: 'not installed' }],
  [
    'kept in the history of Helm only',
    { release: { status: 'uninstalled' } },
    { reason: 'not installed' },
  ],
  [
    'changed in its input',
    { declared: { fingerprint: 'input-2' } },
    { note: 'input changed', starts: true },
  ],
  [
    'changed in its input and chart',
    { declared: { fingerprint: 'input-2', chartVersion: '6.2.0' } },
    { note: 'input changed, chart moved 6.1.1 → 6.2.0' },
  ],
  [
    'on a chart that moved: held unless the configuration follows',
    { declared: { chartVersion: '6.2.0', chartDigest: 'sha-620' } },
    { reason: 'chart moved', note: 'chart moved 6.1.1 → 6.2.0', starts: false },
  ],
  [
    'on a chart that moved and is followed',
    { declared: { chartVersion: '6.2.0' }, question: { chartRanges: 'follow' } },
    { reason: 'chart moved', starts: true },
  ],
  [
    'on a chart that was published again with other content',
    { declared: { chartDigest: 'sha-other' } },
    { reason: 'chart moved' },
  ],
  [
    'failed by Helm',
    { release: { status: 'failed', helmRevision: 5 } },
    { reason: 'last attempt failed', adoptable: false },
  ],
  [
    'failed by its workloads, though Helm says deployed',
    { recorded: { lastEnd: 'failed' }, release: { helmRevision: 5 } },
    { reason: 'last attempt failed', adoptable: false },
  ],
  [
    'unchanged when a failure was taken back, and its cause was taken back in git',
    { recorded: { lastEnd: 'failed' } },
    { state: 'unchanged' },
  ],
  [
    'upgraded for certain after a failure that was taken back, whatever its manifests say',
    { recorded: { lastEnd: 'failed' }, declared: { fingerprint: 'input-3' } },
    { reason: 'input changed', adoptable: false, starts: true },
  ],
  [
    'left unproven by a deployment of ours that never ended well',
    { release: { helmRevision: 5, description: 'slipway dep_2/1 badbad' } },
    { reason: 'last attempt failed', adoptable: false },
  ],
  ['pending', { release: { status: 'pending-upgrade' } }, { reason: 'pending', adoptable: false }],
  ['being uninstalled', { release: { status: 'uninstalling' } }, { reason: 'pending' }],
  [
    'upgraded by hand, with the labels of our last revision',
    { release: { helmRevision: 5, description: 'Upgrade complete' } },
    { reason: 'changed outside Slipway', adoptable: true, starts: false },
  ],
  [
    'upgraded by hand, and changed in its input too',
    { declared: { fingerprint: 'input-2' }, release: { helmRevision: 5, description: '' } },
    { reason: 'changed outside Slipway', starts: true },
  ],
  [
    'rolled back by hand',
    { release: { helmRevision: 6, description: 'Rollback to 2' } },
    { reason: 'changed outside Slipway' },
  ],
  [
    'deployed by others before us',
    { recorded: null, release: { description: 'Install complete' } },
    { reason: 'input changed', adoptable: true, starts: true },
  ],
  [
    'not understood',
    { declared: { notUnderstood: 'ref+vault in an inline value' } },
    { reason: 'not understood', adoptable: true },
  ],
  ['forced', { question: { force: true } }, { reason: 'forced', adoptable: false }],
  [
    'declared as not installed',
    { declared: { removed: true } },
    { reason: 'uninstall', uninstall: true },
  ],
  ['no longer declared', { declared: null }, { state: 'orphaned' }],
  [
    'no longer declared, where that is pruned',
    { declared: null, question: { prune: true } },
    { reason: 'uninstall', uninstall: true },
  ],
  [
    'failed with this very input',
    { recorded: { lastEnd: 'failed', failed: { ...failedInput('input-1'), cause } } },
    { state: 'blocked', cause },
  ],
  [
    'failed with this very input, and gone as helm took the install back',
    {
      release: null,
      recorded: { lastEnd: 'failed', failed: { ...failedInput('input-1'), cause } },
    },
    { state: 'blocked' },
  ],
  [
    'failed with this very input, and a person asks again',
    {
      recorded: { lastEnd: 'failed', failed: { ...failedInput('input-1'), cause } },
      question: { manual: true },
    },
    { reason: 'last attempt failed' },
  ],
  [
    'failed with another input',
    {
      recorded: { lastEnd: 'failed', failed: { ...failedInput('input-0'), cause } },
      release: { helmRevision: 5 },
    },
    { reason: 'last attempt failed' },
  ],
])('a service is %s', (_title, change, expected) => {
  expect(assessServices(question(change))).toMatchObject([expected]);
});

test('what is declared as not installed and is not there is not in the plan', () => {
  expect(assessServices(question({ declared: { removed: true }, release: null }))).toEqual([]);
});

test('what left the repository and the cluster is forgotten', () => {
  expect(assessServices(question({ declared: null, release: null }))).toEqual([]);
});

describe('of changed services', () => {
  const moved = changed('web', 'chart moved', { starts: false, adoptable: true });
  const outside = changed('job', 'changed outside Slipway', { starts: false, adoptable: true });
  const input = changed('api', 'input changed', { adoptable: true });
  const automatic = { manual: false };
  const actions = (...args: Parameters<typeof decidePlan>) =>
    decidePlan(...args).map((one) => (one.state === 'changed' ? one.action : one.state));

  test('those with equal manifests are recorded without an upgrade', () => {
    expect(actions([input, outside], new Set(['api', 'job']), automatic)).toEqual([
      'record',
      'record',
    ]);
  });

  test('those that failed are applied though their manifests are equal', () => {
    const failed = changed('api', 'last attempt failed', {});
    expect(actions([failed], new Set(['api']), automatic)).toEqual(['apply']);
  });

  test('a moved chart and a change by hand start nothing, and are not even rendered alone', () => {
    expect(actions([moved, outside], new Set(), automatic)).toEqual(['held', 'held']);
    expect(servicesToCompare([moved, outside], automatic)).toEqual(['job']);
  });

  test('a moved chart and a change by hand join a service that really changed', () => {
    expect(actions([moved, outside, input], new Set(), automatic)).toEqual([
      'apply',
      'apply',
      'apply',
    ]);
  });

  test('they do not join one that turned out to be equal', () => {
    expect(actions([moved, input], new Set(['api']), automatic)).toEqual(['held', 'record']);
  });

  test('they join when a person asked', () => {
    expect(actions([moved, outside], new Set(), { manual: true })).toEqual(['apply', 'apply']);
  });
});

describe('whatever the cluster, the commit and the record say', () => {
  test('a service whose newest revision is not ours is never unchanged', () => {
    fc.assert(
      fc.property(anyQuestion(), (asked) => {
        const release = asked.helmReleases[0];
        fc.pre(release !== undefined && release.helmRevision !== asked.recorded[0]?.helmRevision);
        expect(isUnchanged(asked)).toBe(false);
      }),
    );
  });

  test('after a failure a service is never adopted, and unchanged only as its last success left it', () => {
    fc.assert(
      fc.property(anyQuestion(), (asked) => {
        const [record] = asked.recorded;
        const [release] = asked.helmReleases;
        const isDeployed = release?.status === 'deployed';
        fc.pre(record?.lastEnd === 'failed' || !isDeployed);
        const [state] = assessServices(asked);
        const isAsLeft = isDeployed && release.helmRevision === record?.helmRevision;
        if (!isAsLeft) expect(state?.state).not.toBe('unchanged');
        if (state?.state === 'changed') expect(state.adoptable).toBe(false);
      }),
    );
  });

  test('an unchanged healthy service is never planned, unless it is forced or not understood', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.constantFrom('hold', 'follow'), (manual, chartRanges) => {
        expect(isUnchanged(question({ question: { manual, chartRanges } }))).toBe(true);
      }),
    );
  });

  test('a changed fingerprint is never unchanged', () => {
    fc.assert(
      fc.property(anyQuestion(), (asked) => {
        fc.pre(asked.declared[0]?.fingerprint !== asked.recorded[0]?.fingerprint);
        expect(isUnchanged(asked)).toBe(false);
      }),
    );
  });
});

function isUnchanged(asked: PlanQuestion): boolean {
  return assessServices(asked).some(({ state }) => state === 'unchanged');
}

function failedInput(fingerprint: string) {
  return { fingerprint, chartVersion: '6.1.1', chartDigest: 'sha-611' };
}

function changed(
  name: string,
  reason: ChangedService['reason'],
  change: Partial<ChangedService>,
): ChangedService {
  return {
    ...{ name, state: 'changed', reason, note: reason },
    ...{ adoptable: false, starts: true, uninstall: false, ...change },
  };
}

/** One service in any state that the store and the cluster can be in. */
function anyQuestion(): fc.Arbitrary<PlanQuestion> {
  const input = fc.constantFrom('input-1', 'input-2');
  const revision = fc.integer({ min: 3, max: 5 });
  const failed = fc.option(
    input.map((fingerprint) => ({ ...failedInput(fingerprint), cause })),
    { nil: undefined },
  );
  const record = fc
    .record({ fingerprint: input, helmRevision: revision, lastEnd: anyEnd(), failed })
    .map(({ failed: last, ...rest }) => ({ ...rest, ...(last ? { failed: last } : {}) }));
  return fc
    .record({
      declared: fc.record({ fingerprint: input }),
      recorded: fc.option(record),
      release: fc.option(
        fc.record({
          helmRevision: revision,
          status: fc.constantFrom('deployed', 'deployed', 'failed', 'pending-upgrade'),
          description: fc.constantFrom('slipway dep_1/1 c', 'Upgrade complete', 'Rollback to 1'),
        }),
      ),
      question: fc.record({ manual: fc.boolean(), force: fc.boolean() }),
    })
    .map(question);
}

function anyEnd() {
  return fc.constantFrom('succeeded' as const, 'failed' as const);
}
