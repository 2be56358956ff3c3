import { sql, type Kysely } from 'kysely';

/** What is not as it was left, by environment. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `create table drift (
        repository text not null,
        environment text not null,
        looked_at timestamptz,
        since timestamptz,
        cleared_at timestamptz,
        report json,
        tried_at timestamptz not null,
        trouble jsonb,
        primary key (repository, environment)
      )`,
    )
    .execute(db);
}
