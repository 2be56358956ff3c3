import { describe, expect, test } from 'vitest';
import { sinceRevision, type PodFacts, type WorkloadFacts } from '../../src/domain/workload.ts';

const REVISION = '2026-11-25T12:00:00Z';
const BEFORE = '2026-11-25T11:00:00Z';
const AFTER = '2026-11-25T12:00:01Z';

describe('while helm still works on a new revision', () => {
  test('the pods of the broken release before it prove nothing against the fix', () => {
    const facts = workload({ pods: [pod('api:broken', BEFORE)] });
    expect(sinceRevision(facts).pods).toEqual([]);
  });

  test('nor do their crashes, when the fix changed something else than the image', () => {
    const crashed: PodFacts = {
      ...pod('api:fixed', BEFORE),
      containers: [{ name: 'app', image: 'api:fixed', restarts: 9 }],
    };
    expect(sinceRevision(workload({ pods: [crashed] })).pods).toEqual([]);
  });

  test('nor does a deadline that had passed before', () => {
    const failure = { reason: 'ProgressDeadlineExceeded', message: '', at: BEFORE };
    expect(sinceRevision(workload({ failure })).failure).toBeUndefined();
  });

  test('what came since is the new revision’s own', () => {
    const failure = { reason: 'ProgressDeadlineExceeded', message: '', at: AFTER };
    const facts = workload({
      failure,
      pods: [pod('api:fixed', AFTER), pod('api:fixed', REVISION)],
    });
    expect(sinceRevision(facts)).toEqual(facts);
  });

  test('a rerun that declares the very image that the old pods wait for fails at once', () => {
    const facts = workload({ pods: [pod('api:fixed', BEFORE)] });
    expect(sinceRevision(facts).pods).toHaveLength(1);
  });
});

function workload(change: Partial<WorkloadFacts>): WorkloadFacts {
  return {
    kind: 'Deployment',
    name: 'api',
    service: 'example-api',
    generation: 1,
    observedGeneration: 1,
    desired: 1,
    updated: 1,
    available: 0,
    old: 0,
    declared: { images: ['api:fixed'], at: REVISION },
    pods: [],
    ...change,
  };
}

/** A pod whose image cannot be pulled. */
function pod(image: string, createdAt: string): PodFacts {
  const waiting = { reason: 'ImagePullBackOff', message: `${image}: not found` };
  return {
    name: 'api-1',
    createdAt,
    containers: [{ name: 'app', image, restarts: 0, waiting }],
  };
}
