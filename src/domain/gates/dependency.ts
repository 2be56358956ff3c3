/** What a deployment follows in another environment, and what is known of that; times are ISO 8601. */

/**
 * A deployment there that may have changed what runs: `good` and `undone` (taken back) left a known state,
 * `bad` and `under-way` did not.
 */
export interface PastDeployment {
  number: number;
  releaseNumber: number;
  state: 'good' | 'undone' | 'bad' | 'under-way';
  /** Absent while it is under way. */
  endedAt?: string;
  /** Version by version key, as its commit says. */
  versions: ReadonlyMap<string, string>;
  /** Services that are failed since or degraded, by the version key that drives them; undefined where none is known. */
  failed: readonly (string | undefined)[];
}

interface Followed {
  /** The environment that waits. */
  environment: string;
  /** The one that it waits for, with its repository where that is another. */
  on: string;
  soakMs: number;
}

export type DependencyFact =
  | (Followed & {
      /** Why nobody can tell, and what helps. */
      unknown: string;
    })
  | (Followed & {
      /** All that the commit says, by version key. */
      declared: ReadonlyMap<string, string>;
      /** Those of them that are not what the environment's last good deployment left. */
      changed: readonly string[];
      /** Number of the release, where the environment there took part in it: its soak counts from then. */
      releaseNumber?: number;
      /** Newest first, down to one that was good when the soak began, if there is any. */
      past: readonly PastDeployment[];
    });

/** Whether, and since when, something is healthy in an environment. */
export type Health =
  | { healthy: true; since: string }
  /** `by` is the deployment that left something else; absent where nothing was ever good. */
  | { healthy: false; by?: PastDeployment };

/**
 * Since when an environment has been healthy with something, without a break. What failed or is under way
 * with the same thing breaks nothing, unless the thing itself failed; with another thing it means that nobody
 * knows what runs.
 *
 * @param past newest first
 * @param has whether a deployment brings it
 * @param isIll whether it failed there, or is degraded
 */
export function healthySince(
  past: readonly PastDeployment[],
  has: (deployment: PastDeployment) => boolean,
  isIll: (deployment: PastDeployment) => boolean,
): Health {
  let since: string | undefined;
  let returned: string | undefined;
  for (const one of past) {
    if (has(one) && !isIll(one)) {
      if (one.state !== 'good') continue;
      since = one.endedAt;
      if (returned !== undefined) break;
    } else if (since !== undefined) {
      break;
    } else if (one.state === 'undone') {
      // What had taken its place was taken back.
      returned ??= one.endedAt;
    } else {
      return { healthy: false, by: one };
    }
  }
  if (since === undefined) return { healthy: false };
  return { healthy: true, since: returned ?? since };
}

/** The same for the version of a version key. */
export function versionHealth(
  past: readonly PastDeployment[],
  key: string,
  version: string,
): Health {
  return healthySince(
    past,
    ({ versions }) => versions.get(key) === version,
    (deployment) => hasFailed(deployment, key),
  );
}

/** Whether a service failed that this version key drives, as far as anybody knows. */
export function hasFailed({ failed }: PastDeployment, key: string): boolean {
  return failed.includes(key) || failed.includes(undefined);
}

/** The keys of what a commit declares whose version is not healthy already, after these deployments. */
export function changedKeys(
  declared: ReadonlyMap<string, string>,
  past: readonly PastDeployment[],
): string[] {
  return [...declared].flatMap(([key, version]) =>
    versionHealth(past, key, version).healthy ? [] : [key],
  );
}

/**
 * The deployments down to the first that was good at a time already: what came before cannot matter to who
 * asks whether something has been healthy since then.
 *
 * @param past newest first
 * @param time ISO 8601
 */
export function untilGoodBefore<T extends Pick<PastDeployment, 'state' | 'endedAt'>>(
  past: readonly T[],
  time: string,
): T[] {
  const last = past.findIndex(
    ({ state, endedAt }) =>
      state === 'good' && endedAt !== undefined && Date.parse(endedAt) <= Date.parse(time),
  );
  return past.slice(0, last === -1 ? past.length : last + 1);
}
