import { sql } from 'kysely';
import type { Drift } from '../../contract/api/drift.ts';
import type { DriftLook, DriftRecord } from '../../contract/workflow/activities.ts';
import { isDrifting } from '../../domain/drift/report.ts';
import type { Db, Tx } from './database.ts';
import type { EnvironmentKey } from './environments.ts';
import { readRecorded } from './services.ts';
import { iso, json, NOW } from './values.ts';

/** Drift: looked for beside the lanes, reported, never corrected. */
export function createDrift(db: Db) {
  return {
    /** What to compare with; not while a deployment changes things. */
    beginDriftLook: async (environment: EnvironmentKey): Promise<DriftLook> => {
      const { rows } = await sql<{ now: Date }>`select now() as now`.execute(db);
      const since = iso(rows[0]?.now ?? new Date());
      const busy = await changedSince(db, environment, since);
      if (busy) return { look: false, because: `deployment ${busy} is on its way` };
      const recorded = await readRecorded(db, environment);
      if (recorded.length > 0) return { look: true, since, recorded };
      return { look: false, because: 'nothing was deployed here yet' };
    },

    /** Keeps what a look found; of a look beside which a deployment changed things, nothing. */
    recordDrift: (record: DriftRecord): Promise<void> =>
      db.transaction().execute(async (tx) => {
        if (await changedSince(tx, record, record.since)) return;
        await store(tx, record);
      }),

    find: async ({ repository, environment }: EnvironmentKey): Promise<Drift> => {
      const row = await db
        .selectFrom('drift')
        .selectAll()
        .where('repository', '=', repository)
        .where('environment', '=', environment)
        .executeTakeFirst();
      const { report } = row ?? {};
      return {
        ...{ repository, environment },
        lookedAt: iso(row?.looked_at ?? null),
        since: iso(row?.since ?? null),
        clearedAt: iso(row?.cleared_at ?? null),
        services: report?.services ?? [],
        objects: report?.objects ?? null,
        notLookedAt: report?.notLookedAt ?? [],
        trouble: row?.trouble ? { at: iso(row.tried_at), cause: row.trouble } : null,
      };
    },
  };
}

/** The number of a deployment that changes the environment, or has ended since. */
async function changedSince(
  db: Db | Tx,
  { repository, environment }: EnvironmentKey,
  since: string,
): Promise<number | undefined> {
  const row = await db
    .selectFrom('deployments')
    .select('number')
    .where('repository', '=', repository)
    .where('environment', '=', environment)
    .where((is) =>
      is.or([
        // What waits changes nothing, and may wait for days.
        is('phase', 'in', ['planning', 'applying', 'verifying', 'retrying']),
        is.and([is('ended_at', '>', new Date(since)), is('started_at', 'is not', null)]),
      ]),
    )
    .executeTakeFirst();
  return row?.number;
}

async function store(tx: Tx, { repository, environment, found }: DriftRecord): Promise<void> {
  const key = { repository, environment };
  if ('unable' in found) {
    // What was found before stands until somebody can look again.
    const trouble = { tried_at: NOW, trouble: json(found.unable) };
    await tx
      .insertInto('drift')
      .values({ ...key, ...trouble })
      .onConflict((conflict) => conflict.columns(KEY).doUpdateSet(trouble))
      .execute();
    return;
  }
  const seen = {
    ...{ looked_at: NOW, tried_at: NOW, trouble: null },
    report: json(found.report),
  };
  const drifting = isDrifting(found.report);
  await tx
    .insertInto('drift')
    .values({ ...key, ...seen, since: drifting ? NOW : null })
    .onConflict((conflict) =>
      conflict.columns(KEY).doUpdateSet(
        drifting
          ? { ...seen, since: sql<Date>`coalesce(drift.since, now())` }
          : {
              ...seen,
              since: null,
              cleared_at: sql<Date>`case when drift.since is null then drift.cleared_at else now() end`,
            },
      ),
    )
    .execute();
}

const KEY = ['repository', 'environment'] as const;
