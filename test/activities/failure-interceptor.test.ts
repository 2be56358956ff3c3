import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { failureInterceptor } from '../../activities/failure-interceptor.ts';
import { CAUSE_CODES, CAUSES, SlipwayError, type CauseCode } from '../../src/domain/errors.ts';
import { failedActivity } from '../../workflows/failures.ts';
import { activityEnvironment } from '../support/activity-environment.ts';

const SECRET = 'hunter2hunter2';
const redact = (text: string) => text.replaceAll(SECRET, '‹masked›');

describe('an error of the domain', () => {
  it.each(CAUSE_CODES)('%s becomes a failure of that type, without secrets', async (code) => {
    const failure = (await failureOf(
      new SlipwayError(code, `signing in with ${SECRET}`, { cause: new Error(SECRET) }),
    )) as ApplicationFailure;
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure.type).toBe(code);
    expect(failure.message).toBe('signing in with ‹masked›');
    expect(textOf(failure)).not.toContain(SECRET);
  });

  it('is tried again exactly when it may pass by itself', async () => {
    const retried: CauseCode[] = [];
    for (const code of CAUSE_CODES) {
      const failure = await failureOf(new SlipwayError(code, 'x'));
      if (!(failure as ApplicationFailure).nonRetryable) retried.push(code);
    }
    expect(retried).toEqual(CAUSE_CODES.filter((code) => CAUSES[code].kind === 'transient'));
  });

  it.each(CAUSE_CODES)('%s is what the workflow reads again', async (code) => {
    const failure = await failureOf(new SlipwayError(code, 'why'));
    expect(failedActivity(failure).cause).toMatchObject({ code, sentence: 'why' });
  });
});

it.each(['ENOSPC', 'EDQUOT'])('a file that cannot be written (%s) is a full disk', async (code) => {
  const failure = await failureOf(Object.assign(new Error('no space left'), { code }));
  expect(failure).toMatchObject({ type: 'disk-full', nonRetryable: false });
});

describe('any other error', () => {
  it('keeps its class, and neither message, stack nor causes show a secret', async () => {
    const cause = new RangeError(`deep ${SECRET}`);
    const error = new TypeError(`reading ${SECRET}`, { cause });
    cause.cause = error;
    expect(error.stack).toContain(SECRET);
    const thrown = await failureOf(error);
    expect(thrown).toBe(error);
    expect(textOf(error) + textOf(cause)).not.toContain(SECRET);
    expect(error.message).toBe('reading ‹masked›');
  });

  it('of the platform, whose message cannot be assigned, stays what it is', async () => {
    const error = new DOMException(`aborted ${SECRET}`, 'AbortError');
    expect(await failureOf(error)).toBe(error);
    expect(error.message).toBe('aborted ‹masked›');
    expect(error.name).toBe('AbortError');
  });

  it("of Temporal's own about a cancellation stays a cancellation", async () => {
    const cancelled = new CancelledFailure('CANCELLED');
    expect(await failureOf(cancelled)).toBe(cancelled);
  });

  it('that is no error at all is thrown on', async () => {
    expect(await failureOf('just text' as unknown as Error)).toBe('just text');
  });
});

it('a result passes unchanged', async () => {
  const result = { services: [] };
  expect(await environment().run(() => Promise.resolve(result))).toBe(result);
});

function environment(): MockActivityEnvironment {
  const inbound = failureInterceptor(redact);
  return activityEnvironment({}, { interceptors: [() => ({ inbound })] });
}

/** What is thrown on when an activity throws this. */
async function failureOf(error: Error): Promise<unknown> {
  const work = () => Promise.reject(error);
  return environment()
    .run(work)
    .then(
      () => 'nothing was thrown',
      (thrown: unknown) => thrown,
    );
}

function textOf(error: Error): string {
  return `${error.message} ${error.stack ?? ''}`;
}
