import { sql, type Kysely } from 'kysely';

/** What the latest look at each branch saw, and rows that are to be tried alone. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table polls (
    repository text primary key,
    polled_at timestamptz not null default now(),
    commit text,
    seen_at timestamptz,
    error_code text,
    error text,
    failing_since timestamptz
  )`,
  // A row whose process ended while it was tried: others must not end with it again.
  `alter table inbox add column alone boolean not null default false`,
  `create index inbox_claimed on inbox (claimed_until) where claimed_until is not null`,
  `create index inbox_waiting_by_repository on inbox (repository) where done_at is null`,
];
