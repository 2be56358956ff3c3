import { sleep, type WorkflowInterceptorsFactory } from '@temporalio/workflow';

/**
 * Lets an apply take the milliseconds that its commit's id begins with, in the time of the workflow: a
 * server that skips time does not skip that of an activity.
 */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [
    {
      scheduleActivity: async (input, next) => {
        if (input.activityType === 'apply') {
          const [{ deployment }] = input.args as [{ deployment: { commit: string } }];
          await sleep(Number(deployment.commit.slice(0, 6)));
        }
        return next(input);
      },
    },
  ],
});
