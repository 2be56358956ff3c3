import { sql, type Kysely } from 'kysely';

/** Environments that are only observed, and what another pipeline did there. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `alter table environments add column mode text not null default 'deploy'`,
  // As it was when the release started.
  `alter table deployments add column mode text not null default 'deploy'`,
  `create table observations (
    deployment_id text primary key references deployments,
    verdict text not null,
    services json not null,
    at timestamptz not null default now()
  )`,
];
