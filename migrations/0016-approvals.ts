import { sql, type Kysely } from 'kysely';

/** What waits is looked for by people and by each change of a gate; of all deployments it is very little. */
const STATEMENTS = [
  `create index deployments_waiting on deployments (number) where phase = 'waiting'`,
  `create index deployments_open on deployments (cluster, namespace) where ended_at is null`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
