import pino, { type Logger } from 'pino';

/** The process's log: JSON lines on stderr, so that stdout stays for data. */
export function createLog(name: string): Logger {
  return pino({ name, base: { pid: process.pid } }, pino.destination({ fd: 2, sync: true }));
}
