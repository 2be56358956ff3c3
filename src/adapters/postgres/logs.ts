import { sql } from 'kysely';
import type { LogPage } from '../../contract/api/log.ts';
import type { LogLines, LogStep } from '../../contract/log-sink.ts';
import type { Db, Tx } from './database.ts';
import { cleanText, iso } from './values.ts';

/** More than anybody reads; what goes on for ever must not fill the database. */
const ATTEMPT_BYTES_MAX = 8 * 1024 * 1024;
const CUT_LINE = '[slipway] The output is cut here: more than 8 MiB in this attempt.';

/** The output of deployments. */
export function createLogs(db: Db) {
  return {
    /** Appends what is new of the lines: a part that was stored before, whole or in part, changes nothing. */
    append: (input: LogLines): Promise<void> => db.transaction().execute((tx) => append(tx, input)),

    /** Lines after the given one, oldest first; `nextCursor` is the last line when more are there. */
    read: async (query: {
      deploymentId: string;
      step?: LogStep;
      after?: number;
      limit: number;
    }): Promise<LogPage> => {
      const { deploymentId, step, after = 0, limit } = query;
      const { rows } = await sql<LogRow>`
        select last_line - cardinality(lines) + position::integer as line, attempt, step, at, text
        from log_chunks, unnest(lines) with ordinality as of (text, position)
        where deployment_id = ${deploymentId}
          and last_line > ${after}
          and last_line - cardinality(lines) + position > ${after}
          ${step === undefined ? sql`` : sql`and step = ${step}`}
        order by last_line, position
        limit ${limit + 1}`.execute(db);
      const items = rows.slice(0, limit).map((row) => ({ ...row, at: iso(row.at) }));
      return {
        items,
        nextCursor: rows.length > limit ? String(items.at(-1)?.line) : null,
      };
    },
  };
}

interface LogRow {
  line: number;
  attempt: number;
  step: LogStep;
  at: Date;
  text: string;
}

async function append(tx: Tx, input: LogLines): Promise<void> {
  const { deploymentId, attempt, step, stream, first, at } = input;
  const streamNext = first + input.lines.length;
  // The lock makes line numbers appear in their order, so that a reader who goes on misses none.
  await tx
    .selectFrom('deployments')
    .select('id')
    .where('id', '=', deploymentId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  const known = await tx
    .selectFrom('log_chunks')
    .select(sql<number>`coalesce(max(stream_next), 0)`.as('lines'))
    .where('deployment_id', '=', deploymentId)
    .where('stream', '=', stream)
    .executeTakeFirstOrThrow();
  const lines = unknownLines(input, known.lines);
  if (lines.length === 0) return;
  const last = await tx
    .selectFrom('log_chunks')
    .select(sql<number>`coalesce(max(last_line), 0)`.as('line'))
    .where('deployment_id', '=', deploymentId)
    .executeTakeFirstOrThrow();
  const ofAttempt = await tx
    .selectFrom('log_chunks')
    .select('attempt_bytes')
    .where('deployment_id', '=', deploymentId)
    .where('attempt', '=', attempt)
    .orderBy('last_line', 'desc')
    .limit(1)
    .executeTakeFirst();
  const kept = fit(lines.map(cleanText), ofAttempt?.attempt_bytes ?? 0);
  if (kept.lines.length === 0) return;
  await tx
    .insertInto('log_chunks')
    .values({
      deployment_id: deploymentId,
      last_line: last.line + kept.lines.length,
      attempt,
      step,
      at: new Date(at),
      lines: kept.lines,
      attempt_bytes: kept.bytes,
      stream,
      stream_next: streamNext,
    })
    .execute();
}

/** What comes after the lines that are known of the stream; lines that never came are counted. */
function unknownLines({ first, lines }: LogLines, known: number): string[] {
  const fresh = lines.slice(Math.max(0, known - first));
  const missing = first - known;
  if (fresh.length === 0 || missing <= 0) return fresh;
  return [`[slipway] ${missing} lines are missing here: the worker could not keep them.`, ...fresh];
}

/** The lines that still fit, the last of them saying that there was more; after that none. */
function fit(lines: readonly string[], used: number): { lines: string[]; bytes: number } {
  if (used >= ATTEMPT_BYTES_MAX) return { lines: [], bytes: used };
  const kept: string[] = [];
  let bytes = used;
  for (const line of lines) {
    const size = Buffer.byteLength(line) + 1;
    if (bytes + size >= ATTEMPT_BYTES_MAX) {
      return { lines: [...kept, CUT_LINE], bytes: ATTEMPT_BYTES_MAX };
    }
    kept.push(line);
    bytes += size;
  }
  return { lines: kept, bytes };
}
