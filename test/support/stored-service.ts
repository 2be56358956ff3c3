import { createServiceActivities } from '../../activities/service.ts';
import type { Mirror } from '../../src/adapters/git/mirror.ts';
import type { Store } from '../../src/adapters/postgres/store.ts';
import type { createOrder } from '../../src/main/order.ts';
import type { Orchestrator } from '../../src/adapters/temporal/orchestrator.ts';

type ServiceDeps = Parameters<typeof createServiceActivities>[0];

const NO_ORDER: ReturnType<typeof createOrder> = {
  dependencies: () => Promise.resolve([]),
  note: () => Promise.resolve(),
  wakeFollowers: () => Promise.resolve(),
};

/** The activities beside the server on a real store, git and Temporal; no calendar, and a worker everywhere. */
export function storedService(
  neighbours: {
    store: Store;
    mirror: (repository: string) => Mirror;
    orchestrator: Orchestrator;
    log: ServiceDeps['polls']['log'];
  },
  environments: ServiceDeps['environments'],
  order: ReturnType<typeof createOrder> = NO_ORDER,
) {
  const { store, mirror, orchestrator, log } = neighbours;
  return createServiceActivities({
    environments,
    mirror,
    deployments: store.deployments,
    acceptedCommits: store.environments,
    services: store.environments,
    holds: store.holds,
    submitToLane: (request) => orchestrator.submitToLane(request),
    runningDeployment: (key) => orchestrator.runningDeployment(key),
    gates: {
      facts: store.gates.facts,
      approvals: store.approvals,
      calendar: () => [],
      hasWorker: () => Promise.resolve(true),
      ...{ dependencies: order.dependencies, note: order.note },
    },
    wakeFollowers: order.wakeFollowers,
    drift: store.drift,
    polls: { branch: () => 'main', heads: store.inbox, seen: store.polls, log },
  });
}
