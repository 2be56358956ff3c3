import { sql, type Kysely } from 'kysely';

/** What keeps a deployment waiting: holds, stops, freezes and approvals, and what passes them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // What ended stays, because people ask why something waited last week.
  `create table holds (
    id text primary key,
    repository text not null,
    environment text not null,
    reason text not null,
    held_by text not null,
    since timestamptz not null default now(),
    until timestamptz,
    ended_at timestamptz,
    ended_by text
  )`,
  `create unique index holds_active on holds (repository, environment) where ended_at is null`,

  `create table stops (
    id text primary key,
    cluster text,
    reason text not null,
    stopped_by text not null,
    since timestamptz not null default now(),
    ended_at timestamptz,
    ended_by text
  )`,
  // One for everything, and one for each cluster.
  `create unique index stops_active on stops (coalesce(cluster, '')) where ended_at is null`,

  // Those that a person announced; the calendar's are in the configuration.
  `create table freezes (
    id text primary key,
    cluster text,
    repository text,
    environment text,
    reason text not null,
    announced_by text not null,
    created_at timestamptz not null default now(),
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    removed_at timestamptz,
    removed_by text,
    check (starts_at < ends_at),
    check ((repository is null) = (environment is null)),
    check (cluster is null or environment is null)
  )`,
  `create index freezes_open on freezes (ends_at) where removed_at is null`,

  // Who let a deployment pass a gate that was closed, and why.
  `create table overrides (
    deployment_id text not null references deployments,
    gate text not null,
    reason text not null,
    overridden_by text not null,
    at timestamptz not null default now(),
    primary key (deployment_id, gate)
  )`,

  // spent_by is the deployment that the approval let through: no other may use it again.
  `create table approvals (
    id text primary key,
    repository text not null,
    environment text not null,
    digest text not null,
    deployment_id text not null references deployments,
    person text not null,
    forge_user text,
    groups text[] not null,
    verdict text not null,
    comment text not null,
    at timestamptz not null default now(),
    spent_at timestamptz,
    spent_by text references deployments
  )`,
  // However often and from wherever a person approves, it counts once.
  `create unique index approvals_once on approvals (repository, environment, digest, person)
    where spent_at is null`,
  `create index approvals_by_deployment on approvals (deployment_id)`,
  `create index approvals_by_spender on approvals (spent_by) where spent_by is not null`,

  // Of a person: the name in the audit, the groups for approvals, and who they are at the forge.
  `alter table tokens
    add column person text,
    add column groups text[] not null default '{}',
    add column forge_user text`,

  // A deployment may plan, wait and plan again: its own count of records says which is the later.
  `alter table deployments
    add column waiting jsonb,
    add column record_order integer not null default 0`,
];
