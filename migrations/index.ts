import type { Migration } from 'kysely/migration';
import * as initial from './0001-initial.ts';
import * as fingerprints from './0002-fingerprints.ts';
import * as diff from './0003-diff.ts';
import * as undo from './0004-undo.ts';
import * as gates from './0005-gates.ts';
import * as intake from './0007-intake.ts';
import * as workers from './0008-workers.ts';
import * as polls from './0011-polls.ts';
import * as lanes from './0012-lanes.ts';
import * as observe from './0013-observe.ts';
import * as drift from './0014-drift.ts';
import * as order from './0015-order.ts';
import * as approvals from './0016-approvals.ts';

/** All migrations in order. A shipped one never changes; a new one gets the next number. */
export const migrations: Record<string, Migration> = {
  '0001-initial': initial,
  '0002-fingerprints': fingerprints,
  '0003-diff': diff,
  '0004-undo': undo,
  '0005-gates': gates,
  '0007-intake': intake,
  '0008-workers': workers,
  '0011-polls': polls,
  '0012-lanes': lanes,
  '0013-observe': observe,
  '0014-drift': drift,
  '0015-order': order,
  '0016-approvals': approvals,
};
