import { sql, type Kysely } from 'kysely';

/** Logs and plans come from workers over HTTP: signed in for one cluster, and perhaps sent twice. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // Of a worker: the only cluster whose deployments it may write to.
  `alter table tokens add column cluster text`,
  // stream_next is the number of lines up to and with this chunk, so that a part sent again is known.
  `alter table log_chunks add column stream text, add column stream_next integer`,
  `create index log_chunks_by_stream on log_chunks (deployment_id, stream, stream_next desc)
    where stream is not null`,
  // The diff of a plan is large and comes by itself, before or after the plan.
  `create table plan_diffs (
    deployment_id text not null references deployments,
    digest text not null,
    diff json not null,
    created_at timestamptz not null default now(),
    primary key (deployment_id, digest)
  )`,
];
