import { sql, type Kysely } from 'kysely';

/** What a plan restarts, who goes back to an earlier release, and how well it runs. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `alter table plans add column restart jsonb`,

  `alter table inbox add column kind text not null default 'manual'`,
  `alter table deployments add column kind text not null default 'automatic'`,
  `update deployments set kind = 'manual' where run > 0`,

  // The last judgement of what a deployment left running; it changes after the deployment's end.
  `create table health (
    deployment_id text primary key references deployments,
    state text not null,
    services jsonb not null,
    at timestamptz not null default now()
  )`,
];
