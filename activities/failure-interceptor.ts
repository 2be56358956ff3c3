import { ApplicationFailure } from '@temporalio/activity';
import type {
  ActivityExecuteInput,
  ActivityInboundCallsInterceptor,
  Next,
} from '@temporalio/worker';
import { asDiskFull } from '../src/domain/disk-full.ts';
import { CAUSES, SlipwayError } from '../src/domain/errors.ts';

/**
 * Translates errors of the domain into Temporal's, in one place: the type is the cause's code, and only
 * what may pass by itself is tried again. Anything else keeps its class but loses its secrets.
 */
export function failureInterceptor(
  redact: (text: string) => string,
): ActivityInboundCallsInterceptor {
  return {
    execute: async (
      input: ActivityExecuteInput,
      next: Next<ActivityInboundCallsInterceptor, 'execute'>,
    ): Promise<unknown> => {
      try {
        return await next(input);
      } catch (thrown) {
        // Any file that an activity writes may meet it.
        const error = asDiskFull(thrown) ?? thrown;
        if (error instanceof SlipwayError) {
          throw ApplicationFailure.create({
            type: error.code,
            message: redact(error.message),
            nonRetryable: CAUSES[error.code].kind !== 'transient',
          });
        }
        hideSecrets(error, redact);
        throw error;
      }
    },
  };
}

/** Temporal stores an error's message, its stack, which repeats the message, and those of its causes. */
function hideSecrets(error: unknown, redact: (text: string) => string): void {
  const seen = new Set<unknown>();
  for (let at = error; at instanceof Error && !seen.has(at); at = at.cause) {
    seen.add(at);
    // Defined, not assigned: some errors of the platform have a message that cannot be assigned.
    for (const name of ['message', 'stack'] as const) {
      const text = at[name];
      if (text === undefined) continue;
      Object.defineProperty(at, name, { value: redact(text), configurable: true, writable: true });
    }
  }
}
