import type { WorkflowInterceptors } from '@temporalio/workflow';

/** What no worker takes is given up after a second instead of minutes. */
export const interceptors = (): WorkflowInterceptors => ({
  outbound: [
    {
      scheduleActivity: ({ options, ...input }, next) =>
        next({
          ...input,
          options:
            options.scheduleToStartTimeout === undefined
              ? options
              : { ...options, scheduleToStartTimeout: '1s' },
        }),
    },
  ],
});
