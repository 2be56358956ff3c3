import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import type { CauseReport } from '../src/domain/cause.ts';
import { CAUSES, isCauseCode } from '../src/domain/errors.ts';
import { explain } from '../src/domain/why/rules.ts';

/** How an activity failed, in the words of the domain. */
export interface FailedActivity {
  cause: CauseReport;
  /** The worker was shut down in an orderly way: not the release's fault, so not counted. */
  handedOver: boolean;
  /** Nobody knows whether the activity's process still runs. */
  lostTrack: boolean;
}

/** Whether an activity ended before any worker had begun it. */
export function wasNotTaken(error: unknown): boolean {
  const inner = error instanceof ActivityFailure ? error.cause : error;
  return inner instanceof TimeoutFailure && inner.timeoutType === 'SCHEDULE_TO_START';
}

/** What may pass by itself, in a sentence; undefined for anything else. */
export function passingTrouble(error: unknown): string | undefined {
  const { code, sentence } = failedActivity(error).cause;
  return isCauseCode(code) && CAUSES[code].kind === 'transient' ? sentence : undefined;
}

/** Translates what an activity call threw; cancellation must have been handled before. */
export function failedActivity(error: unknown): FailedActivity {
  const inner = error instanceof ActivityFailure ? error.cause : error;
  if (inner instanceof TimeoutFailure) {
    return {
      cause: { code: 'worker-lost', sentence: `The worker went silent (${inner.message}).` },
      handedOver: false,
      lostTrack: true,
    };
  }
  if (inner instanceof ApplicationFailure && inner.type === 'WorkerShutdown') {
    return {
      cause: { code: 'worker-lost', sentence: 'The worker was shut down.' },
      handedOver: true,
      lostTrack: false,
    };
  }
  const type = inner instanceof ApplicationFailure ? inner.type : undefined;
  const sentence = inner instanceof Error ? inner.message : 'an activity failed without a reason';
  const cause: CauseReport = { code: isCauseCode(type) ? type : 'unknown', sentence };
  // The error's own words often say more than the code that they came with.
  const explained = explain({ said: sentence, seen: cause });
  return { cause: explained, handedOver: false, lostTrack: false };
}
