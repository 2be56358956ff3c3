import { sql, type Kysely } from 'kysely';

/** Which environments take part in a release, and what lost workflows are found by. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // Digest over what the accepted commit says of the environment; null where nobody could tell.
  `alter table environments add column accepted_inputs text`,
  `alter table deployments add column inputs text`,
  // Names of environments that the release changes nothing of.
  `alter table releases add column untouched jsonb not null default '[]'`,
  `create index releases_open on releases (number) where ended_at is null`,
];
