const WEEK_MS = 7 * 86_400_000;

/**
 * A point in time as people say it: `Mon 09:00 Europe/London`, with the date when it is a week away or more.
 *
 * @param time ISO 8601
 * @param now what `time` is near to or far from, ISO 8601
 */
export function sayTime(time: string, now: string, timezone = 'UTC'): string {
  const distance = Math.abs(Date.parse(time) - Date.parse(now));
  const day: Intl.DateTimeFormatOptions =
    distance < WEEK_MS
      ? { weekday: 'short' }
      : { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' };
  const parts = new Intl.DateTimeFormat('en-GB', {
    ...day,
    ...{ hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: timezone },
  }).formatToParts(new Date(time));
  const part = (type: Intl.DateTimeFormatPartTypes) =>
    parts.find((one) => one.type === type)?.value;
  const words = [part('weekday'), part('day'), part('month'), part('year')];
  const clock = `${part('hour')}:${part('minute')}`;
  return [...words.filter((word) => word !== undefined), clock, timezone].join(' ');
}

/** Joins a sentence with what a person wrote, which may end with a full stop already. */
export function withReason(sentence: string, reason: string): string {
  const text = reason.replace(/\s+/g, ' ').trim();
  return `${sentence}: ${/[.!?…]$/.test(text) ? text : `${text}.`}`;
}

/** A length of time in the largest unit that says it whole, as the configuration writes it: `2h`, `90s`. */
export function sayDuration(ms: number): string {
  const units = [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
  ] as const;
  const found = units.find(([, unitMs]) => ms % unitMs === 0);
  return found ? `${ms / found[1]}${found[0]}` : `${ms}ms`;
}
