import type { PastRow } from '../src/adapters/postgres/past-deployments.ts';
import { CAUSES, Refusal, SlipwayError } from '../src/domain/errors.ts';
import {
  changedKeys,
  untilGoodBefore,
  type DependencyFact,
  type PastDeployment,
} from '../src/domain/gates/dependency.ts';

interface Place {
  repository: string;
  environment: string;
}

type Versions = ReadonlyMap<string, string>;

interface AtDependencies extends Place {
  deploymentId: string;
  /** ISO 8601. */
  now: string;
}

export interface DependencyDeps {
  /** What an environment waits for, as the configuration says now. */
  waitsFor: (place: Place) => readonly (Place & { soakMs: number })[];
  /** Service to version key of an environment, where they differ. */
  versionKeys: (place: Place) => Versions;
  /** Version by key, as a commit says for an environment; throws why that cannot be told. */
  versions: (at: Place & { commit: string }, signal: AbortSignal) => Promise<Versions>;
  deployment: (id: string) => Promise<Followed | undefined>;
  past: (place: Place) => Promise<PastRow[]>;
  /** Services that ended well and were seen to be ill afterwards. */
  degraded: (place: Place) => Promise<string[]>;
}

type Followed = Place & { commit: string; releaseId: string };

/**
 * What a deployment follows: what it brings, and what was deployed there. Throws `SlipwayError` where its own
 * commit can never be released.
 */
export async function readDependencies(
  deps: DependencyDeps,
  { deploymentId, now, repository, environment }: AtDependencies,
  signal: AbortSignal,
): Promise<DependencyFact[]> {
  const waitsFor = deps.waitsFor({ repository, environment });
  if (waitsFor.length === 0) return [];
  const own = await deps.deployment(deploymentId);
  if (!own) throw new Error(`deployment ${deploymentId} is not in the store`);
  const brought = await orUnknown(broughtBy(deps, own, now, signal));
  const facts: DependencyFact[] = [];
  for (const { soakMs, ...there } of waitsFor) {
    const isWithin = there.repository === repository;
    const on = isWithin ? there.environment : `${there.repository}/${there.environment}`;
    const rows = await pastAndPresent(deps, there);
    const relevant = untilGoodBefore(rows, new Date(Date.parse(now) - soakMs).toISOString());
    const past = await orUnknown(withVersions(deps, there, relevant, signal));
    const same = isWithin ? rows.find(({ releaseId }) => releaseId === own.releaseId) : undefined;
    const release = same ? { releaseNumber: same.releaseNumber } : {};
    const followed = { environment, on, soakMs };
    if (!(brought instanceof Unknown) && !(past instanceof Unknown)) {
      facts.push({ ...followed, ...release, ...brought, past });
    } else if (same) {
      // In one repository the release itself tells enough.
      const bare = relevant.map((row) => ({ ...row, versions: new Map(), failed: [] }));
      facts.push({ ...followed, ...release, declared: new Map(), changed: [], past: bare });
    } else {
      const [unknown] = [brought, past].filter((one) => one instanceof Unknown);
      facts.push({ ...followed, unknown: unknown?.message ?? '' });
    }
  }
  return facts;
}

/** What was deployed there, and of the newest also what is ill now. */
async function pastAndPresent(deps: DependencyDeps, there: Place): Promise<PastRow[]> {
  const [newest, ...older] = await deps.past(there);
  if (!newest) return [];
  const degraded = await deps.degraded(there);
  return [{ ...newest, failedServices: [...newest.failedServices, ...degraded] }, ...older];
}

/** What the commit declares, and what of it is not good here already. */
async function broughtBy(deps: DependencyDeps, own: Followed, now: string, signal: AbortSignal) {
  const declared = await orUnknown(readVersions(deps, own, signal));
  if (declared instanceof Unknown) throw canNeverBe(declared.cause) ? declared.cause : declared;
  const rows = untilGoodBefore(await deps.past(own), now);
  // Where earlier commits cannot be read, all counts as changed.
  const past = await orUnknown(withVersions(deps, own, rows, signal));
  return { declared, changed: changedKeys(declared, past instanceof Unknown ? [] : past) };
}

/** Whether the commit itself is bad: the deployment ends with that, as it would at its checkout. */
function canNeverBe(error: unknown): error is SlipwayError {
  return error instanceof SlipwayError && CAUSES[error.code].phase === 'failed';
}

async function orUnknown<T>(work: Promise<T>): Promise<T | Unknown> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Unknown) return error;
    throw error;
  }
}

async function withVersions(
  deps: DependencyDeps,
  place: Place,
  rows: readonly PastRow[],
  signal: AbortSignal,
): Promise<PastDeployment[]> {
  const { repository, environment } = place;
  const keys = deps.versionKeys(place);
  const past: PastDeployment[] = [];
  for (const row of rows) {
    const at = { repository, environment, commit: row.commit };
    const versions = await readVersions(deps, at, signal);
    const keyOf = (service: string) => (versions.has(service) ? service : keys.get(service));
    past.push({ ...row, versions, failed: row.failedServices.map(keyOf) });
  }
  return past;
}

/** Nobody can tell what a commit says; the message is why. */
class Unknown extends Error {}

async function readVersions(
  deps: DependencyDeps,
  { repository, environment, commit }: Place & { commit: string },
  signal: AbortSignal,
): Promise<Versions> {
  try {
    return await deps.versions({ repository, environment, commit }, signal);
  } catch (error) {
    const isAnswer =
      error instanceof SlipwayError || (error instanceof Refusal && error.code !== 'unavailable');
    if (!isAnswer) throw error;
    const why = error.message.replace(/\.$/, '');
    throw new Unknown(`${repository} at ${commit.slice(0, 8)}: ${why}`, { cause: error });
  }
}
