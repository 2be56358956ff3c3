import { sql } from 'kysely';
import type { Hold } from '../../contract/api/environment.ts';
import { appendAudit } from './audit.ts';
import type { Db, Tx } from './database.ts';
import type { Asked } from './releases.ts';
import { cleanText, iso, newId, NOW } from './values.ts';

/** Holds: an environment stays where it is until a person resumes it, or until a time. */

interface Place {
  repository: string;
  /** Of the environment. */
  name: string;
}

export interface HoldInput extends Place, Asked {
  reason: string;
  /** ISO 8601; without it the hold lasts until it is resumed. */
  until?: string;
}

export function createHolds(db: Db) {
  return {
    /** Holds an environment; a hold that it had is replaced. */
    hold: (input: HoldInput): Promise<Hold> =>
      db.transaction().execute((tx) => holdEnvironment(tx, input)),

    /** Ends the hold of an environment; false when it has none. */
    resume: (input: Place & Asked & { reason?: string }): Promise<boolean> =>
      db.transaction().execute(async (tx) => {
        const ended = await endHold(tx, input);
        if (!ended) return false;
        await audit(tx, 'environment.resume', input, { reason: input.reason ?? '' });
        return true;
      }),

    /** What holds an environment now. */
    find: async (place: Place): Promise<Hold | undefined> =>
      (await activeHolds(db, [place]))[0]?.hold,
  };
}

/**
 * Holds an environment in the transaction of what asks for it, such as a rollback that the next merge
 * must not undo. A hold that it had is replaced.
 */
export async function holdEnvironment(tx: Tx, input: HoldInput): Promise<Hold> {
  await lockPlace(tx, input);
  await endHold(tx, input);
  const row = await tx
    .insertInto('holds')
    .values({
      id: newId('hld'),
      repository: input.repository,
      environment: input.name,
      reason: cleanText(input.reason),
      held_by: input.actor,
      until: input.until === undefined ? null : new Date(input.until),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  const { reason, until = null } = input;
  await audit(tx, 'environment.hold', input, { reason, until });
  return toHold(row);
}

/** The holds in force of these environments. */
export async function activeHolds(
  db: Db | Tx,
  places: readonly Place[],
): Promise<(Place & { hold: Hold })[]> {
  if (places.length === 0) return [];
  const rows = await db
    .selectFrom('holds')
    .selectAll()
    .where('ended_at', 'is', null)
    .where((is) => is.or([is('until', 'is', null), is('until', '>', NOW)]))
    .where((is) =>
      is(
        is.refTuple('repository', 'environment'),
        'in',
        places.map(({ repository, name }) => is.tuple(repository, name)),
      ),
    )
    .execute();
  return rows.map((row) => ({
    repository: row.repository,
    name: row.environment,
    hold: toHold(row),
  }));
}

/** Two people who hold at once do so one after the other. */
async function lockPlace(tx: Tx, { repository, name }: Place): Promise<void> {
  await tx
    .selectFrom('environments')
    .select('name')
    .where('repository', '=', repository)
    .where('name', '=', name)
    .forNoKeyUpdate()
    .executeTakeFirst();
}

/** True when there was one in force; one whose time was up is ended too. */
async function endHold(tx: Tx, { repository, name, actor }: Place & Asked): Promise<boolean> {
  const ended = await tx
    .updateTable('holds')
    .set({ ended_at: NOW, ended_by: actor })
    .where('repository', '=', repository)
    .where('environment', '=', name)
    .where('ended_at', 'is', null)
    .returning(sql<boolean>`until is null or until > now()`.as('in_force'))
    .executeTakeFirst();
  return ended?.in_force ?? false;
}

function audit(
  tx: Tx,
  action: 'environment.hold' | 'environment.resume',
  { repository, name, actor, requestId }: Place & Asked,
  details: Record<string, unknown>,
): Promise<void> {
  return appendAudit(tx, { actor, action, subject: `${repository}/${name}`, requestId, details });
}

function toHold(row: { reason: string; held_by: string; since: Date; until: Date | null }): Hold {
  const { reason, held_by: by, since, until } = row;
  return { reason, by, since: iso(since), until: iso(until) };
}
