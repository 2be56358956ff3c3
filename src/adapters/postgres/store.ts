import { createAudit } from './audit.ts';
import type { Db } from './database.ts';
import { createDeployments } from './deployments.ts';
import { createEnvironments } from './environments.ts';
import { translated } from './errors.ts';
import { createHolds } from './holds.ts';
import { createInboxEntries } from './inbox-entries.ts';
import { createInbox } from './inbox.ts';
import { createLogs } from './logs.ts';
import { createReleases } from './releases.ts';
import { createTokens } from './tokens.ts';

/** Everything that Slipway remembers. Throws `Refusal('unavailable')` while PostgreSQL is away. */
export function createStore(db: Db) {
  return {
    inbox: translated('inbox', createInbox(db)),
    inboxEntries: translated('inboxEntries', createInboxEntries(db)),
    releases: translated('releases', createReleases(db)),
    deployments: translated('deployments', createDeployments(db)),
    environments: translated('environments', createEnvironments(db)),
    holds: translated('holds', createHolds(db)),
    logs: translated('logs', createLogs(db)),
    tokens: translated('tokens', createTokens(db)),
    audit: translated('audit', createAudit(db)),
  };
}

export type Store = ReturnType<typeof createStore>;
