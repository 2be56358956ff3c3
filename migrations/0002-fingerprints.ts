import { sql, type Kysely } from 'kysely';

/** What plans compare with: the input of each service's last success, and of a failure after it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `alter table services
    add column fingerprint text,
    add column chart_digest text,
    add column helm_revision integer`,

  // Apart from services, which hold what runs: a service that never ran can fail too.
  `create table service_failures (
    repository text not null,
    environment text not null,
    name text not null,
    fingerprint text not null,
    chart_version text,
    chart_digest text,
    cause jsonb not null,
    deployment_id text not null references deployments,
    at timestamptz not null default now(),
    primary key (repository, environment, name)
  )`,
];
