import { Cron } from 'croner';
import type { FreezeFact } from '../domain/gates/facts.ts';

/** A freeze that comes again: from each time of one cron line to the next of another. */
export interface FreezeWindow {
  cron: string;
  until: string;
  /** IANA name. */
  timezone: string;
  reason: string;
}

/**
 * The windows that are in force. A local time that a clock change skips counts as the moment of the change,
 * one that comes twice as its first.
 *
 * @param now ISO 8601
 */
export function freezesInForce(windows: readonly FreezeWindow[], now: string): FreezeFact[] {
  const at = new Date(now);
  return windows.flatMap(({ cron, until, timezone, reason }) => {
    const end = parse(until, timezone);
    const began = lastTime(parse(cron, timezone), at);
    const ends = end.nextRun(at);
    const isOver = (lastTime(end, at)?.getTime() ?? -Infinity) > (began?.getTime() ?? -Infinity);
    if (!began || !ends || isOver) return [];
    return [{ reason, timezone, until: ends.toISOString() }];
  });
}

/** What is wrong with a cron line, in words; undefined when nothing is. */
export function cronFault(line: string): string | undefined {
  try {
    const fields = line.trim().split(/\s+/);
    if (fields.length !== 5) {
      return 'must have five fields: minute, hour, day of month, month, day of week';
    }
    return parse(line, 'UTC').nextRun() ? undefined : 'names a time that never comes';
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : '';
    return `is no cron line: ${why}`;
  }
}

/** Whether there is such a time zone. */
export function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function parse(line: string, timezone: string): Cron {
  return new Cron(line, { timezone, mode: '5-part', paused: true });
}

/** The last time up to and with this one. */
function lastTime(cron: Cron, at: Date): Date | undefined {
  // The library looks before a time, in whole seconds.
  const next = Math.floor(at.getTime() / 1_000) * 1_000 + 1_000;
  return cron.previousRuns(1, new Date(next))[0];
}
