import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';

/**
 * Turns an activity's failure of the type `LostTrack` into that of a worker which went silent: a server
 * that skips time does not skip that of an activity.
 */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [
    {
      scheduleActivity: async (input, next) => {
        try {
          return await next(input);
        } catch (error) {
          if (!(error instanceof ActivityFailure)) throw error;
          const { message, activityType, activityId, retryState, identity, cause } = error;
          if (!(cause instanceof ApplicationFailure) || cause.type !== 'LostTrack') throw error;
          const silent = new TimeoutFailure('activity timeout', undefined, 'HEARTBEAT');
          throw new ActivityFailure(
            message,
            activityType,
            activityId,
            retryState,
            identity,
            silent,
          );
        }
      },
    },
  ],
});
