import {
  hasFailed,
  healthySince,
  versionHealth,
  type DependencyFact,
  type PastDeployment,
} from './dependency.ts';
import type { Waiting } from './facts.ts';
import { sayDuration, sayTime } from './say-time.ts';

const NAMED_MAX = 3;

type Known = Exclude<DependencyFact, { unknown: string }>;

/** Something that must be healthy there, in words: since when it is, or what is there instead. */
interface Want {
  what: string;
  since?: string;
  there: string;
}

/**
 * Whether what a deployment brings is healthy in the environment that it follows, and has been for the soak.
 * Asked for are the versions that it changes: what is good here already is not released by it. A version key
 * that only one side has is no obstacle, but two sides that have none in common cannot be compared.
 *
 * @param now ISO 8601
 */
export function judgeDependency(fact: DependencyFact, now: string): Waiting | undefined {
  const { environment, on } = fact;
  if ('unknown' in fact) return untold(fact, fact.unknown);
  if (!isComparable(fact)) {
    const remedy = `let ${environment} follow an environment that runs the same services`;
    return untold(fact, `their versions.yaml have no key in common; ${remedy}`);
  }
  const wants = [...releaseOf(fact), ...versionsOf(fact)];
  const lacking = wants.filter(({ since }) => since === undefined);
  if (lacking.length > 0) {
    const named = lacking.slice(0, NAMED_MAX).map(({ what, there }) => `${what} (there: ${there})`);
    const more = lacking.length > NAMED_MAX ? ` and ${lacking.length - NAMED_MAX} more` : '';
    const sentence = `${environment} waits until ${on} runs ${named.join(', ')}${more}.`;
    return { reason: 'dependency', sentence: [sentence, ...sayKeysOnlyHere(fact)].join(' ') };
  }
  return soaking(fact, wants, now);
}

/** What is said of changed version keys that the other environment does not have. */
export function sayKeysOnlyHere(fact: DependencyFact): string[] {
  if ('unknown' in fact) return [];
  const { environment, on, changed, past } = fact;
  const keys = changed.filter((key) => !isThere(past, key));
  if (keys.length === 0) return [];
  return [`${on} has no version of ${keys.join(', ')}: for that ${environment} does not wait.`];
}

function untold({ environment, on }: DependencyFact, why: string): Waiting {
  const what = `${environment} waits for ${on}, but nobody can tell what is the same there`;
  const way = 'An override of the gate "dependency" lets this deployment pass.';
  return { reason: 'dependency', sentence: `${what}: ${why}. ${way}` };
}

function isComparable({ declared, changed, past }: Known): boolean {
  return changed.length === 0 || [...declared.keys()].some((key) => isThere(past, key));
}

/** Where the environment there takes part in the release, it must have come there. */
function releaseOf({ releaseNumber, past }: Known): Want[] {
  if (releaseNumber === undefined) return [];
  const health = healthySince(
    past,
    (one) => one.releaseNumber >= releaseNumber,
    () => false,
  );
  const what = `release #${releaseNumber}`;
  if (health.healthy) return [{ what, since: health.since, there: what }];
  return [{ what, there: health.by ? `release #${health.by.releaseNumber}` : 'none yet' }];
}

function versionsOf({ changed, declared, past }: Known): Want[] {
  return changed.flatMap((key): Want[] => {
    if (!isThere(past, key)) return [];
    const version = declared.get(key) ?? '';
    const what = `${key} ${version}`;
    const health = versionHealth(past, key, version);
    if (health.healthy) return [{ what, since: health.since, there: version }];
    return [{ what, there: health.by ? sayVersion(key, health.by) : 'nothing good yet' }];
  });
}

function sayVersion(key: string, deployment: PastDeployment): string {
  const { state, number, versions } = deployment;
  const version = versions.get(key) ?? 'none';
  switch (state) {
    case 'good':
      return hasFailed(deployment, key) ? `${version}, which is degraded now` : version;
    case 'undone':
      return version;
    case 'bad':
      return `${version}, but deployment ${number} did not succeed`;
    case 'under-way':
      return `${version}, which deployment ${number} is bringing`;
  }
}

/** Before anything came there every key may be there. */
function isThere(past: readonly PastDeployment[], key: string): boolean {
  return past.length === 0 || past.some(({ versions }) => versions.has(key));
}

function soaking(fact: Known, wants: readonly Want[], now: string): Waiting | undefined {
  const sinceMs = ({ since = '' }: Want) => Date.parse(since);
  const [last] = wants.toSorted((a, b) => sinceMs(b) - sinceMs(a));
  if (!last) return undefined;
  const untilMs = sinceMs(last) + fact.soakMs;
  if (untilMs <= Date.parse(now)) return undefined;
  const until = new Date(untilMs).toISOString();
  const { environment, on, soakMs } = fact;
  const wait = `${environment} waits until ${sayTime(until, now)} (soak of ${sayDuration(soakMs)})`;
  const sentence = `${wait}: ${on} has run ${last.what} since ${sayTime(last.since ?? '', now)}.`;
  return { reason: 'dependency', sentence, until };
}
