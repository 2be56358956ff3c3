import { sql } from 'kysely';
import { v7 as uuid } from 'uuid';

/** The time of the database, which is the same for all servers. */
export const NOW = sql<Date>`now()`;

/** A new id: its kind and a UUIDv7, so that ids sort by time. */
export function newId(kind: 'rel' | 'dep' | 'inb' | 'tok' | 'hld' | 'stp' | 'frz' | 'apr'): string {
  return `${kind}_${uuid()}`;
}

/** PostgreSQL takes neither NUL nor half a surrogate pair in text; tools print both. */
export function cleanText(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8').replaceAll('\0', '\uFFFD');
}

/** A value for a jsonb column. */
export function json(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'string' ? cleanText(item) : item,
  );
}

export function iso(date: Date): string;
export function iso(date: Date | null): string | null;
export function iso(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}
