import { sql, type Kysely } from 'kysely';

/** The first tables: what came in, what was released, what runs, and who did it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // An environment that left the configuration keeps its row: its history refers to it.
  `create table environments (
    repository text not null,
    name text not null,
    cluster text not null,
    namespace text not null,
    position integer not null,
    configured boolean not null,
    accepted_commit text,
    primary key (repository, name)
  )`,
  // Two environments in one namespace would undo each other's releases.
  `create unique index environments_namespace on environments (cluster, namespace) where configured`,

  `create table releases (
    id text primary key,
    number integer generated always as identity unique,
    repository text not null,
    commit text not null,
    kind text not null,
    actor text,
    title text,
    author text,
    committed_at timestamptz,
    phase text not null default 'queued',
    runs integer not null default 0,
    created_at timestamptz not null default now(),
    handed_over_at timestamptz,
    ended_at timestamptz,
    unique (repository, commit)
  )`,
  `create index releases_by_repository on releases (repository, number desc)`,
  `create index releases_by_phase on releases (phase, number desc)`,

  `create table deployments (
    id text primary key,
    number integer generated always as identity unique,
    release_id text not null references releases,
    repository text not null,
    environment text not null,
    cluster text not null,
    namespace text not null,
    run integer not null,
    phase text not null default 'queued',
    note text not null default '',
    cause jsonb,
    attempt integer not null default 0,
    retry_at timestamptz,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    ended_at timestamptz,
    unique (release_id, environment, run)
  )`,
  `create index deployments_by_environment on deployments (repository, environment, number desc)`,
  `create index deployments_by_environment_name on deployments (environment, release_id)`,

  `create table attempts (
    deployment_id text not null references deployments,
    number integer not null,
    started_at timestamptz not null default now(),
    ended_at timestamptz,
    cause jsonb,
    primary key (deployment_id, number)
  )`,

  `create table plans (
    deployment_id text primary key references deployments,
    digest text not null,
    services jsonb not null,
    created_at timestamptz not null default now()
  )`,

  `create table services (
    repository text not null,
    environment text not null,
    name text not null,
    chart text not null,
    chart_version text,
    commit text not null,
    deployment_id text not null references deployments,
    since timestamptz not null,
    primary key (repository, environment, name)
  )`,

  // attempt_bytes is a running total, so that the cap needs no sum over all chunks.
  `create table log_chunks (
    deployment_id text not null references deployments,
    last_line integer not null,
    attempt integer not null,
    step text not null,
    at timestamptz not null default now(),
    lines text[] not null,
    attempt_bytes integer not null,
    primary key (deployment_id, last_line)
  )`,
  `create index log_chunks_by_attempt on log_chunks (deployment_id, attempt, last_line desc)`,
  `create index log_chunks_by_step on log_chunks (deployment_id, step, last_line)`,

  `create table inbox (
    id text primary key,
    source text not null,
    repository text not null,
    received_at timestamptz not null default now(),
    ref text,
    before text,
    after text,
    delivery text,
    body bytea,
    release_id text references releases,
    run integer,
    environments jsonb,
    force boolean not null default false,
    tries integer not null default 0,
    next_try_at timestamptz not null default now(),
    claimed_until timestamptz,
    last_error text,
    done_at timestamptz
  )`,
  `create unique index inbox_by_content on inbox (repository, ref, before, after)
    where source = 'webhook'`,
  `create unique index inbox_by_run on inbox (release_id, run) where source = 'api'`,
  `create index inbox_open on inbox (next_try_at) where done_at is null`,

  `create table tokens (
    id text primary key,
    name text not null,
    prefix text not null,
    sha256 bytea not null unique,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    last_used_at timestamptz
  )`,

  `create table audit (
    id integer generated always as identity primary key,
    at timestamptz not null default now(),
    actor text not null,
    action text not null,
    subject text not null,
    request_id text not null,
    details jsonb not null
  )`,
  `create index audit_by_subject on audit (subject, id desc)`,
  // Also for the owner of the table: what happened stays written.
  `create function refuse_change() returns trigger language plpgsql as $$
    begin raise exception '% is append-only', tg_table_name; end
  $$`,
  `create trigger audit_append_only before update or delete or truncate on audit
    for each statement execute function refuse_change()`,
];
