import {
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type ActivityInboundCallsInterceptor,
  type WorkerOptions,
} from '@temporalio/worker';
import type { ClusterActivities, ServiceActivities } from '../../contract/workflow/activities.ts';
import { clusterQueue, presenceQueue, SERVICE_QUEUE } from '../../contract/workflow/ids.ts';
import { loadWorkflowBundle } from './workflow-bundle.ts';

export interface WorkerSetting {
  connection: NativeConnection;
  namespace: string;
  /** Translates what an activity throws. */
  interceptor: ActivityInboundCallsInterceptor;
}

export type LogWarning = (message: string, fields: Record<string, unknown>) => void;

/** Sends Temporal's own warnings to our log. Call once, before the first worker. */
export function installRuntime(warn: LogWarning): void {
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      // The SDK's fields may hold errors with inputs; the ids are enough to find the workflow.
      const { workflowId, activityType, error } = meta ?? {};
      const reason = error instanceof Error ? error.message : undefined;
      warn(message, { level, workflowId, activityType, reason });
    }),
    telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } } },
  });
}

/** Opens the connection that workers share. */
export function connectWorkers(address: string): Promise<NativeConnection> {
  return NativeConnection.connect({ address });
}

/** The worker beside the server: all workflows, and the activities that reach PostgreSQL and Temporal. */
export async function createServiceWorker(
  setting: WorkerSetting,
  activities: ServiceActivities,
): Promise<Worker> {
  return Worker.create({
    ...common(setting, activities),
    taskQueue: SERVICE_QUEUE,
    workflowBundle: await loadWorkflowBundle(),
    // The SDK's default grows until memory is short.
    maxCachedWorkflows: 300,
    shutdownGraceTime: '10s',
  });
}

/** The worker of one cluster: activities only. */
export function createClusterWorker(
  setting: WorkerSetting,
  cluster: string,
  activities: ClusterActivities,
  shutdownGraceTime: '10m' | '20s',
): Promise<Worker> {
  return Worker.create({
    ...common(setting, activities),
    taskQueue: clusterQueue(cluster),
    maxConcurrentActivityTaskExecutions: 8,
    shutdownGraceTime,
    shutdownForceTime: shutdownGraceTime === '10m' ? '11m' : '40s',
  });
}

/** Shows that a worker of the cluster is there, however busy that is; it is given nothing to do. */
export function createPresenceWorker(setting: WorkerSetting, cluster: string): Promise<Worker> {
  return Worker.create({
    ...common(setting, { isPresent: () => Promise.resolve(true) }),
    taskQueue: presenceQueue(cluster),
    maxConcurrentActivityTaskExecutions: 1,
    maxConcurrentActivityTaskPolls: 1,
  });
}

function common(setting: WorkerSetting, activities: object): Omit<WorkerOptions, 'taskQueue'> {
  const { connection, namespace, interceptor } = setting;
  return {
    connection,
    namespace,
    activities,
    interceptors: { activity: [() => ({ inbound: interceptor })] },
    // The default would delay a cancel by up to a minute.
    maxHeartbeatThrottleInterval: '5s',
    defaultHeartbeatThrottleInterval: '5s',
  };
}
