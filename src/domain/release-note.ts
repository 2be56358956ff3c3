import { sayTime } from './gates/say-time.ts';

/** What keeps a release from beginning; times are ISO 8601. */
export interface ReleaseStart {
  /** Its row in the inbox, while Temporal has not taken it. */
  handOver?: { error: string | null; nextTryAt: string; parked: boolean };
  /** Why its branch cannot be read. */
  git?: { sentence: string; since: string };
}

/** Why nothing of a release is under way, in one sentence. */
export function releaseNote({ handOver, git }: ReleaseStart, now: string): string {
  if (handOver?.parked) {
    return `Parked, because it failed by its own fault: ${handOver.error ?? 'unknown'}. Try it again by POST /inbox/:id/retry.`;
  }
  if (handOver) {
    const { error, nextTryAt } = handOver;
    const why = error === null ? '' : `: ${error}. Tried again at ${sayTime(nextTryAt, now)}`;
    return `Not handed over to Temporal yet${why}.`;
  }
  if (!git) return 'Reading from git what the commit says.';
  return `Git cannot be read since ${sayTime(git.since, now)}: ${git.sentence}`;
}
