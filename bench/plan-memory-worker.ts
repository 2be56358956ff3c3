/** The process of `bench:plan --memory` that plans: a cluster's worker without Temporal. */
import type { ClusterActivities } from '../src/contract/workflow/activities.ts';
import { activityEnvironment } from '../test/support/activity-environment.ts';
import { createClusterWorker } from '../test/support/cluster-worker.ts';

export interface Asked {
  input: Parameters<ClusterActivities['plan']>[0];
  plans: number;
}

/** What the process holds once its garbage was collected. */
export interface Held {
  heapBytes: number;
  externalBytes: number;
  residentBytes: number;
}

const [configFile = '', folder = '', helm = '', helmfile = ''] = process.argv.slice(2);
const worker = await createClusterWorker({ configFile, folder, tools: { helm, helmfile } });

process.on('message', (asked: Asked) => {
  void plan(asked).then((held) => process.send?.(held));
});

async function plan({ input, plans }: Asked): Promise<Held> {
  for (let plan = 0; plan < plans; plan += 1) {
    await activityEnvironment().run(worker.activities.plan, input);
  }
  // What a worker would have sent to the server.
  worker.log.length = 0;
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heapBytes: heapUsed, externalBytes: external, residentBytes: rss };
}
