import { sql, type Kysely } from 'kysely';

/** What was received and what became of it: headers, verdict, deliveries, parked rows, and who pushed. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // failures counts the tries that failed by the row's own fault, not those that waited for a neighbour.
  `alter table inbox
    add column headers jsonb,
    add column ignored text,
    add column sender_id text,
    add column sender_login text,
    add column failures integer not null default 0,
    add column parked_at timestamptz`,

  // The forge's ids of deliveries: one push may be delivered often, under one id or several.
  `create table deliveries (
    repository text not null,
    delivery text not null,
    inbox_id text not null references inbox on delete cascade,
    received_at timestamptz not null default now(),
    primary key (repository, delivery)
  )`,
  `create index deliveries_by_row on deliveries (inbox_id)`,
  `insert into deliveries (repository, delivery, inbox_id, received_at)
    select repository, delivery, id, received_at from inbox where delivery is not null
    on conflict do nothing`,
  `alter table inbox drop column delivery`,

  // An event that was ignored may come again when the configuration follows another branch.
  `drop index inbox_by_content`,
  `create unique index inbox_by_content on inbox (repository, ref, before, after)
    where source = 'webhook' and ignored is null`,
  `create unique index inbox_polled on inbox (repository, after)
    where source = 'poll' and done_at is null`,
  `drop index inbox_open`,
  `create index inbox_open on inbox (next_try_at) where done_at is null and parked_at is null`,
  `create index inbox_parked on inbox (id) where parked_at is not null`,
  `create index inbox_done on inbox (done_at) where done_at is not null`,
  `create index inbox_by_release on inbox (release_id)`,

  // Outlives the inbox, because whoever pushed a change may not approve it, however late.
  `create table pushers (
    release_id text not null references releases,
    forge_user text not null,
    login text not null,
    primary key (release_id, forge_user)
  )`,
];
