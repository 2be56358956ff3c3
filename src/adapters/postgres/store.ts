import { createApprovals } from './approvals.ts';
import { createAudit } from './audit.ts';
import type { Db } from './database.ts';
import { createDeployments } from './deployments.ts';
import { createDrift } from './drift.ts';
import { createEnvironments } from './environments.ts';
import { translated } from './errors.ts';
import { createFreezes } from './freezes.ts';
import { createGates } from './gate-facts.ts';
import { createHealth } from './health.ts';
import { createHolds } from './holds.ts';
import { createInboxEntries } from './inbox-entries.ts';
import { createInbox } from './inbox.ts';
import { createLogs } from './logs.ts';
import { createPolls } from './polls.ts';
import { createObservations } from './observations.ts';
import { createQueues } from './queues.ts';
import { createReleases } from './releases.ts';
import { createRollbacks } from './rollbacks.ts';
import { createStops } from './stops.ts';
import { createTokens } from './tokens.ts';

/** Everything that Slipway remembers. Throws `Refusal('unavailable')` while PostgreSQL is away. */
export function createStore(db: Db) {
  return {
    inbox: translated('inbox', createInbox(db)),
    inboxEntries: translated('inboxEntries', createInboxEntries(db)),
    polls: translated('polls', createPolls(db)),
    releases: translated('releases', createReleases(db)),
    deployments: translated('deployments', createDeployments(db)),
    environments: translated('environments', createEnvironments(db)),
    drift: translated('drift', createDrift(db)),
    observations: translated('observations', createObservations(db)),
    queues: translated('queues', createQueues(db)),
    holds: translated('holds', createHolds(db)),
    rollbacks: translated('rollbacks', createRollbacks(db)),
    stops: translated('stops', createStops(db)),
    freezes: translated('freezes', createFreezes(db)),
    gates: translated('gates', createGates(db)),
    approvals: createTranslatedApprovals(db),
    health: translated('health', createHealth(db)),
    logs: translated('logs', createLogs(db)),
    tokens: translated('tokens', createTokens(db)),
    audit: translated('audit', createAudit(db)),
  };
}

/** Its generic function does not fit the table of functions that `translated` takes. */
function createTranslatedApprovals(db: Db): ReturnType<typeof createApprovals> {
  return translated('approvals', createApprovals(db));
}

export type Store = ReturnType<typeof createStore>;
