import { ApplicationFailure } from '@temporalio/activity';
import type {
  ActivityExecuteInput,
  ActivityInboundCallsInterceptor,
  Next,
} from '@temporalio/worker';
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
      } catch (error) {
        if (error instanceof SlipwayError) {
          throw ApplicationFailure.create({
            type: error.code,
            message: redact(error.message),
            nonRetryable: CAUSES[error.code].kind !== 'transient',
          });
        }
        if (error instanceof Error) error.message = redact(error.message);
        throw error;
      }
    },
  };
}
