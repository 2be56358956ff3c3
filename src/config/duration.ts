/** Seven days: a retry or rollout that takes longer is a mistake, and timers stay far from overflow. */
export const DURATION_MS_MAX = 7 * 24 * 3_600_000;

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** What {@link parseDuration} reads, as a pattern for the JSON Schema. */
export const DURATION_PATTERN = '^[0-9]{1,9}(ms|s|m|h)$';

/** Reads `500ms`, `30s`, `10m` or `2h` as milliseconds; anything else is undefined. */
export function parseDuration(text: string): number | undefined {
  const match = /^([0-9]{1,9})(ms|s|m|h)$/.exec(text);
  return match === null ? undefined : Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
}
