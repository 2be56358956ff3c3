import { randomBytes, randomUUID } from 'node:crypto';
import type { CreatedDeployment } from '../../src/adapters/postgres/deployments.ts';
import type { ReleaseHandle } from '../../src/adapters/postgres/releases.ts';
import type { DeploymentKind } from '../../src/domain/overtaking.ts';
import type { LogLines } from '../../src/contract/log-sink.ts';
import type { Store } from '../../src/adapters/postgres/store.ts';

/** A commit id that no other test has. */
export function someCommit(): string {
  return randomBytes(20).toString('hex');
}

/** Lines of a writer of their own. */
export function logLines(
  deploymentId: string,
  lines: readonly string[],
  change: Partial<LogLines> = {},
): LogLines {
  const where = { deploymentId, attempt: 1, step: 'apply' } as const;
  return {
    ...where,
    stream: randomUUID(),
    first: 0,
    at: new Date().toISOString(),
    lines,
    ...change,
  };
}

/** A name that no other test has, so that tests of one file share a database. */
export function someName(what: string): string {
  return `${what}-${randomBytes(4).toString('hex')}`;
}

export interface StoredRelease {
  repository: string;
  release: ReleaseHandle;
  /** By environment. */
  deployments: Map<string, CreatedDeployment>;
}

/** A release with a queued deployment in each environment. */
export async function storeRelease(
  store: Store,
  options: { repository?: string; environments?: readonly string[]; run?: number } = {},
): Promise<StoredRelease> {
  const repository = options.repository ?? someName('repository');
  const { release } = await store.releases.upsert({
    repository,
    commit: someCommit(),
    kind: 'automatic',
  });
  const deployments = await storeRun(store, release, options.environments ?? ['cs-dev'], 0);
  return { repository, release, deployments };
}

/** The deployments of one run. */
export async function storeRun(
  store: Store,
  release: ReleaseHandle,
  environments: readonly string[],
  run: number,
  kind: DeploymentKind = run === 0 ? 'automatic' : 'manual',
): Promise<Map<string, CreatedDeployment>> {
  const created = await store.deployments.createForRun({
    releaseId: release.id,
    run,
    kind,
    title: 'Bump example-api to 2.4.2',
    author: 'Ada',
    committedAt: '2026-01-02T03:04:05.000Z',
    targets: environments.map((environment) => ({
      repository: release.repository,
      environment,
      cluster: 'notprod',
      namespace: `${release.repository}-${environment}`,
    })),
  });
  return new Map(created.map((deployment) => [deployment.environment, deployment]));
}

/** The id of the deployment in an environment. */
export function idOf(stored: ReadonlyMap<string, CreatedDeployment>, environment: string): string {
  const found = stored.get(environment);
  if (!found) throw new Error(`no deployment in ${environment}`);
  return found.deploymentId;
}
