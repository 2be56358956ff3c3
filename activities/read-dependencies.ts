import type { PastRow } from '../src/adapters/postgres/past-deployments.ts';
import { Refusal, SlipwayError } from '../src/domain/errors.ts';
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

interface AtDependencies {
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
}

type Followed = Place & { commit: string; releaseId: string };

/** What a deployment follows: what it brings, and what was deployed there. */
export async function readDependencies(
  deps: DependencyDeps,
  { deploymentId, now }: AtDependencies,
  signal: AbortSignal,
): Promise<DependencyFact[]> {
  const own = await deps.deployment(deploymentId);
  if (!own) return [];
  const facts: DependencyFact[] = [];
  for (const { soakMs, ...there } of deps.waitsFor(own)) {
    const isWithin = there.repository === own.repository;
    const on = isWithin ? there.environment : `${there.repository}/${there.environment}`;
    const followed = { environment: own.environment, on, soakMs };
    const rows = await deps.past(there);
    const soakStart = new Date(Date.parse(now) - soakMs).toISOString();
    const relevant = untilGoodBefore(rows, soakStart);
    const same = isWithin ? rows.find(({ releaseId }) => releaseId === own.releaseId) : undefined;
    const release = same ? { releaseNumber: same.releaseNumber } : {};
    try {
      const past = await withVersions(deps, there, relevant, signal);
      facts.push({ ...followed, ...release, ...(await broughtBy(deps, own, now, signal)), past });
    } catch (error) {
      if (!(error instanceof Unknown)) throw error;
      const past = relevant.map((row) => ({ ...row, versions: new Map(), failed: [] }));
      // In one repository the release itself tells enough.
      facts.push(
        same
          ? { ...followed, ...release, declared: new Map(), changed: [], past }
          : { ...followed, unknown: error.message },
      );
    }
  }
  return facts;
}

/** What the commit declares, and what of it is not good here already. */
async function broughtBy(deps: DependencyDeps, own: Followed, now: string, signal: AbortSignal) {
  const declared = await readVersions(deps, own, signal);
  const rows = untilGoodBefore(await deps.past(own), now);
  // Where earlier commits cannot be read, all counts as changed.
  const past = await withVersions(deps, own, rows, signal).catch((error: unknown) => {
    if (error instanceof Unknown) return [];
    throw error;
  });
  return { declared, changed: changedKeys(declared, past) };
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
    throw new Unknown(`${repository} at ${commit.slice(0, 8)}: ${why}`);
  }
}
