import type { InboxRow } from '../adapters/postgres/inbox-claims.ts';
import type { ReleaseHandle } from '../adapters/postgres/releases.ts';
import type { Store } from '../adapters/postgres/store.ts';
import type { ReleaseInput } from '../contract/workflow/payloads.ts';

export interface HandOverDependencies {
  releases: Pick<Store['releases'], 'upsert' | 'handle'>;
  /** Reads the tip of the repository's branch from git. */
  heads: (repository: string) => Promise<{ commit: string }>;
  /** Whether the branch at this head holds the commit. */
  holds: (repository: string, head: string, commit: string) => Promise<boolean>;
  /** Starts the workflow; one that was started already counts as done. */
  startRelease: (input: ReleaseInput) => Promise<void>;
}

/** Rows that one look at one branch answers stay together; what a person asked for stands alone. */
export function together(rows: readonly InboxRow[]): InboxRow[][] {
  const groups = new Map<string, InboxRow[]>();
  for (const row of rows) {
    const key = row.request ? row.id : `${row.repository} ${row.releaseId ?? ''}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()];
}

/**
 * Starts the release that rows of one repository lead to, and answers its id. Answers nothing while git
 * does not show what was pushed: it would be lost with the row.
 */
export async function handOver(
  deps: HandOverDependencies,
  rows: readonly InboxRow[],
): Promise<string | undefined> {
  const [first] = rows;
  if (first?.request) return startRun(deps, first.request);
  if (first?.releaseId === undefined) return startHead(deps, rows);
  return startMade(deps, await mustFind(deps, first.releaseId));
}

/** With their growing pauses about two minutes, in which a forge's git catches up with its webhooks. */
const TRIES_UNTIL_SHOWN = 7;

/** Releases the commit that the branch points at now; nothing of the event but the repository counts. */
async function startHead(
  deps: HandOverDependencies,
  rows: readonly InboxRow[],
): Promise<string | undefined> {
  const repository = rows[0]?.repository ?? '';
  const { commit } = await deps.heads(repository);
  for (const { after, tries } of rows) {
    if (after === undefined || after === commit || tries >= TRIES_UNTIL_SHOWN) continue;
    if (!(await deps.holds(repository, commit, after))) return undefined;
  }
  const { release } = await deps.releases.upsert({
    ...{ repository, commit, kind: 'automatic' },
    pushers: rows.flatMap(({ sender }) => sender ?? []),
    rows: rows.map(({ id }) => id),
  });
  return startMade(deps, release);
}

/** Starts a release, unless Temporal has had it: that forgets ended workflows, and would start an old head again. */
async function startMade(deps: HandOverDependencies, release: ReleaseHandle): Promise<string> {
  const { id: releaseId, number: releaseNumber, repository, commit, kind, handedOver } = release;
  if (handedOver) return releaseId;
  const input = { releaseId, releaseNumber, repository, commit, run: 0, kind, force: false };
  await deps.startRelease(input);
  return releaseId;
}

/** Starts the run that a person asked for. */
async function startRun(
  deps: HandOverDependencies,
  request: NonNullable<InboxRow['request']>,
): Promise<string> {
  const { releaseId, run, kind, force, environments } = request;
  const { number: releaseNumber, repository, commit } = await mustFind(deps, releaseId);
  await deps.startRelease({
    releaseId,
    releaseNumber,
    repository,
    commit,
    run,
    kind,
    force,
    ...(environments ? { environments } : {}),
  });
  return releaseId;
}

async function mustFind(deps: HandOverDependencies, releaseId: string): Promise<ReleaseHandle> {
  const release = await deps.releases.handle(releaseId);
  if (release) return release;
  throw new Error(`release ${releaseId} is not in the store`);
}
