import { SlipwayError } from '../errors.ts';

/** One thing that the gate refuses, and what would permit it. */
export interface Refusal {
  /** Path in the commit's tree. */
  file: string;
  /** The service, where it is about one. */
  service?: string;
  /** The key, as a path such as `releases[0].hooks`. */
  key: string;
  why: string;
  /** The entry of the environment's `allow` that permits it; without one nothing does. */
  allow?: string;
}

/** One sentence: where it is, what is wrong, and the exact way out. */
export function formatRefusal({ file, service, key, why, allow }: Refusal): string {
  const where = service === undefined ? file : `${file}, service ${service}`;
  const wayOut =
    allow === undefined
      ? 'nothing permits this'
      : `permit it with \`allow: [${allow}]\` on the environment`;
  return `${where}: ${key} ${why}; ${wayOut}.`;
}

const SHOWN_MAX = 10;

/** The error of everything refused, as long as people read. */
export function refusalError(refusals: readonly Refusal[]): SlipwayError {
  const shown = refusals.slice(0, SHOWN_MAX).map(formatRefusal);
  const more = refusals.length - shown.length;
  if (more > 0) shown.push(`And ${more} more.`);
  return new SlipwayError('repository-refused', shown.join('\n'));
}
