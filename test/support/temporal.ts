import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Runtime,
  Worker,
  type WorkflowBundleOption,
} from '@temporalio/worker';
import { loadWorkflowBundle } from '../../src/adapters/temporal/workflow-bundle.ts';
import { ensureTools } from '../../src/adapters/tools/ensure-tools.ts';
import type {
  ClusterActivities,
  ServiceActivities,
} from '../../src/contract/workflow/activities.ts';
import { clusterQueue, SERVICE_QUEUE } from '../../src/contract/workflow/ids.ts';
import { SEARCH_ATTRIBUTES } from '../../src/contract/workflow/search-attributes.ts';
import { defineSearchAttributeKey } from '@temporalio/common';
import { twice } from '../../src/main/dev/part.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });

/** Of Temporal's API: `temporal.api.enums.v1.IndexedValueType`. */
const INDEXED_VALUE_TYPE_KEYWORD = 2;

const bundles = new Map<string, Promise<WorkflowBundleOption>>();

const searchAttributes = Object.values(SEARCH_ATTRIBUTES).map((name) =>
  defineSearchAttributeKey(name, 'KEYWORD'),
);

/** A server on which waiting takes no time; it lacks visibility. */
export async function startTimeSkipping(): Promise<TestWorkflowEnvironment> {
  const { 'temporal-test-server': path } = await ensureTools(['temporal-test-server']);
  const environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path } },
  });
  await environment.connection.operatorService.addSearchAttributes({
    namespace: environment.namespace ?? 'default',
    searchAttributes: Object.fromEntries(
      searchAttributes.map(({ name }) => [name, INDEXED_VALUE_TYPE_KEYWORD]),
    ),
  });
  return environment;
}

/** A real server with real time; with Slipway's search attributes, or those given. */
export async function startDevServer(
  options: { attributes?: typeof searchAttributes; dynamicConfig?: Record<string, unknown> } = {},
): Promise<TestWorkflowEnvironment> {
  const { temporal: path } = await ensureTools(['temporal']);
  const server = {
    executable: { type: 'existing-path', path } as const,
    searchAttributes: options.attributes ?? searchAttributes,
    extraArgs: Object.entries(options.dynamicConfig ?? {}).flatMap(([key, value]) => [
      '--dynamic-config-value',
      `${key}=${JSON.stringify(value)}`,
    ]),
  };
  // The SDK waits five seconds for it, which a busy machine may not be able to keep.
  return twice(() => TestWorkflowEnvironment.createLocal({ server }));
}

/** Runs the workflows with these activities for the time of `work`. */
export async function withWorkers<T>(
  environment: TestWorkflowEnvironment,
  stubs: { cluster?: Partial<ClusterActivities>; service?: Partial<ServiceActivities> },
  work: () => Promise<T>,
  options: { workflowInterceptors?: string[]; clusterAfter?: Promise<void> } = {},
): Promise<T> {
  const { workflowInterceptors = [] } = options;
  const key = workflowInterceptors.join();
  const bundle = bundles.get(key) ?? bundleWith(workflowInterceptors);
  bundles.set(key, bundle);
  const common = {
    connection: environment.nativeConnection,
    maxHeartbeatThrottleInterval: '200ms',
    defaultHeartbeatThrottleInterval: '200ms',
  } as const;
  const service = await Worker.create({
    ...common,
    taskQueue: SERVICE_QUEUE,
    workflowBundle: await bundle,
    // Gates are open, and no lane was lost, where a test is not about them.
    activities: {
      readGates: () => Promise.resolve({ answer: 'open' }),
      listPlaces: () => Promise.resolve([]),
      lookAtDeployment: () => Promise.resolve({}),
      ...stubs.service,
    },
  });
  return service.runUntil(async () => {
    if (!stubs.cluster) return work();
    // A cluster whose worker comes late has none while the work begins.
    const working = options.clusterAfter && work();
    await options.clusterAfter;
    const cluster = await Worker.create({
      ...common,
      taskQueue: clusterQueue('notprod'),
      activities: stubs.cluster,
    });
    return cluster.runUntil(working ?? work());
  });
}

function bundleWith(workflowInterceptorModules: string[]): Promise<WorkflowBundleOption> {
  if (workflowInterceptorModules.length === 0) return loadWorkflowBundle();
  const workflowsPath = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));
  const logger = new DefaultLogger('ERROR');
  return bundleWorkflowCode({ workflowsPath, workflowInterceptorModules, logger });
}
