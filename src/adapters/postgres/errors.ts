import pg from 'pg';
import { Refusal } from '../../domain/errors.ts';

/** SQLSTATE classes and codes that pass by themselves: connection, resources, shutdown, locks, time (of transactions too). */
const PASSING = /^(08|53|57|40001$|40P01$|55P03$|25P0[34]$)/;

/** What pg and Node say when the server cannot be reached or does not answer in time. */
const UNREACHABLE =
  /^(connect |read |write |getaddrinfo |timeout |Connection terminated|Query read timeout|Client has encountered a connection error|Cannot use a pool after calling end)/;

/**
 * Translates what pg throws. Its `detail` and `parameters` hold the values of rows, so neither they nor
 * the error itself go on: only the SQLSTATE and the constraint's name.
 */
export function translateError(doing: string, error: unknown): unknown {
  if (error instanceof pg.DatabaseError) {
    const code = error.code ?? 'no SQLSTATE';
    if (PASSING.test(code)) {
      return new Refusal('unavailable', `${doing}: PostgreSQL cannot do it now (${code})`);
    }
    const where = error.constraint ?? error.table;
    return new Error(`${doing}: PostgreSQL refused (${code}${where ? `, ${where}` : ''})`);
  }
  if (error instanceof AggregateError || (error instanceof Error && isConnectionError(error))) {
    return new Refusal('unavailable', `${doing}: PostgreSQL cannot be reached`);
  }
  return error;
}

function isConnectionError(error: Error): boolean {
  return (
    UNREACHABLE.test(error.message) || ('syscall' in error && typeof error.syscall === 'string')
  );
}

type Methods = Record<string, (...args: never[]) => Promise<unknown>>;

/** The same functions, with every error translated; `what` names them in messages. */
export function translated<T extends Methods>(what: string, methods: T): T {
  const entries = Object.entries(methods).map(([name, method]) => [
    name,
    async (...args: never[]) => {
      try {
        return await method(...args);
      } catch (error) {
        throw translateError(`${what}.${name}`, error);
      }
    },
  ]);
  return Object.fromEntries(entries) as T;
}
