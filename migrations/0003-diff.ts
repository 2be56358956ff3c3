import { sql, type Kysely } from 'kysely';

/** What a plan changes, resource by resource. Kept as written: nothing is searched in it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table plans add column diff json`.execute(db);
}
