import { sayTime } from './gates/say-time.ts';
import type { DeploymentKind } from './overtaking.ts';
import { isEnd, satisfies, type DeploymentPhase } from './phases.ts';

/** A deployment among those that it may wait for; times are ISO 8601. */
export interface Queueing {
  id: string;
  number: number;
  releaseId: string;
  releaseNumber: number;
  run: number;
  environment: string;
  kind: DeploymentKind;
  phase: DeploymentPhase;
  /** What it does or waits for, by its own words. */
  note: string;
  startedAt: string | null;
}

/** Where a queued deployment stands. */
export interface QueueStanding {
  /** 1 is the one that runs, or is next; 0 while environments before its own are under way. */
  place: number;
  /** What it waits for, the first to go first. */
  behind: readonly Queueing[];
  sentence: string;
}

/**
 * Where a queued deployment stands: behind the environments that come before its own in its release, and
 * then in its lane behind what runs and what goes before it.
 *
 * @param lane the name of its lane, and all of it that have not ended
 * @param runs the deployments of the same runs of releases as those of the lane
 * @param after the environments that come before one, by its name
 */
export function judgeQueue(
  me: Queueing,
  lane: { name: string; members: readonly Queueing[] },
  runs: readonly Queueing[],
  after: (environment: string) => readonly string[],
  now: string,
): QueueStanding {
  const before = (one: Queueing) =>
    runs.filter(
      ({ releaseId, run, environment, phase }) =>
        releaseId === one.releaseId &&
        run === one.run &&
        after(one.environment).includes(environment) &&
        !satisfies(phase),
    );
  // Said by the lane: why it cannot put its queue in order.
  const said = (sentence: string) => (me.note === '' ? sentence : me.note);
  const first = before(me);
  if (first.length > 0) {
    const names = first.map((one) => `${one.environment}, ${inWords(one, now)}`).join('; ');
    return { place: 0, behind: first, sentence: said(`Waits its turn after ${names}.`) };
  }
  const behind = lane.members
    .filter((one) => one.id !== me.id && goesBefore(one, me) && before(one).length === 0)
    .sort((a, b) => (goesBefore(a, b) ? -1 : 1));
  const place = behind.length + 1;
  const where = `${ORDINALS[place - 1] ?? `Number ${place}`} in lane ${lane.name}`;
  const names = behind.map((one) => inWords(one, now)).join('; ');
  return {
    place,
    behind,
    sentence: said(names === '' ? `${where}.` : `${where}, after ${names}.`),
  };
}

const ORDINALS = ['First', 'Second', 'Third', 'Fourth', 'Fifth', 'Sixth', 'Seventh', 'Eighth'];

const RANKS = { rollback: 0, manual: 1, automatic: 2 } as const satisfies Record<
  DeploymentKind,
  number
>;

/** What runs goes first, then rollbacks, what people asked for, and merges; as they came. */
function goesBefore(a: Queueing, b: Queueing): boolean {
  const rank = ({ phase, kind }: Queueing) => (phase === 'queued' ? RANKS[kind] : -1);
  return rank(a) < rank(b) || (rank(a) === rank(b) && a.number < b.number);
}

function inWords({ number, releaseNumber, phase, note, startedAt }: Queueing, now: string): string {
  const name = `deployment ${number} of release #${releaseNumber}`;
  if (isEnd(phase) || phase === 'queued') return `${name} (${phase})`;
  // Whose gate is closed keeps all away that come after it.
  if (phase === 'waiting') return `${name} (${phase}: ${note.replace(/\.$/, '')})`;
  const since = startedAt === null ? '' : `, began ${sayTime(startedAt, now)}`;
  return `${name} (${phase}${since})`;
}
