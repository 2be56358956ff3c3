import { sql, type Kysely } from 'kysely';

/** What an environment did that others wait for. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // When it first changed the cluster; null where it ended before, such as while it waited for approval.
  `alter table deployments add column applied_at timestamptz`,
  // Of those before nobody knows: that they had a plan is enough to doubt what runs.
  `update deployments set applied_at = started_at
    where exists (select from plans where plans.deployment_id = deployments.id)`,
];
