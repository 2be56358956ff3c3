import type { RecordedService } from '../../domain/plan/plan-services.ts';
import type { ServiceRecord } from '../../domain/plan/service-records.ts';
import type { PlannedService } from '../../domain/services.ts';
import type { Db, Tx } from './database.ts';
import { json, NOW } from './values.ts';

const KEY = ['repository', 'environment', 'name'] as const;

interface RecordingDeployment {
  id: string;
  repository: string;
  environment: string;
  commit: string;
}

/** What is remembered of the services of an environment: what runs, and what failed since. */
export async function readRecorded(
  db: Db,
  { repository, environment }: { repository: string; environment: string },
): Promise<RecordedService[]> {
  const services = await db
    .selectFrom('services')
    .selectAll()
    .where('repository', '=', repository)
    .where('environment', '=', environment)
    .execute();
  const failures = await db
    .selectFrom('service_failures')
    .selectAll()
    .where('repository', '=', repository)
    .where('environment', '=', environment)
    .execute();
  const names = new Set([...services, ...failures].map(({ name }) => name));
  return [...names].map((name) => {
    const runs = services.find((service) => service.name === name);
    const failed = failures.find((failure) => failure.name === name);
    return {
      name,
      lastEnd: failed ? 'failed' : 'succeeded',
      ...present('fingerprint', runs?.fingerprint),
      ...present('helmRevision', runs?.helm_revision),
      ...present('commit', runs?.commit),
      ...present('deploymentId', runs?.deployment_id),
      ...present('chartVersion', runs?.chart_version),
      ...present('chartDigest', runs?.chart_digest),
      ...(failed && {
        failed: {
          fingerprint: failed.fingerprint,
          cause: failed.cause,
          ...present('chartVersion', failed.chart_version),
          ...present('chartDigest', failed.chart_digest),
        },
      }),
    };
  });
}

/** Remembers what a deployment proved of services; needs the lock of its release. */
export async function storeRecords(
  tx: Tx,
  deployment: RecordingDeployment,
  records: readonly ServiceRecord[],
): Promise<void> {
  for (const record of records) {
    switch (record.end) {
      case 'succeeded':
        await storeSuccess(tx, deployment, record);
        break;
      case 'failed':
        await storeFailure(tx, deployment, record);
        break;
      case 'taken-back':
        await storeTakenBack(tx, deployment, record);
        break;
      case 'removed':
        await forget(tx, deployment, record.name, 'services');
        await forget(tx, deployment, record.name, 'service_failures');
        break;
    }
  }
}

/** What runs now. */
async function storeSuccess(
  tx: Tx,
  deployment: RecordingDeployment,
  service: PlannedService,
): Promise<void> {
  const { repository, environment } = deployment;
  const now = {
    chart: service.chart,
    chart_version: service.chartVersion ?? null,
    chart_digest: service.chartDigest ?? null,
    fingerprint: service.fingerprint ?? null,
    helm_revision: service.helmRevision ?? null,
    commit: deployment.commit,
    deployment_id: deployment.id,
    since: NOW,
  };
  await tx
    .insertInto('services')
    .values({ repository, environment, name: service.name, ...now })
    .onConflict((conflict) => conflict.columns(KEY).doUpdateSet(now))
    .execute();
  await forget(tx, deployment, service.name, 'service_failures');
}

/** The last success runs again, under a new revision; its commit and its time stay. */
async function storeTakenBack(
  tx: Tx,
  { repository, environment }: RecordingDeployment,
  { name, from, helmRevision, fingerprint, chartVersion, chartDigest }: ServiceRecord,
): Promise<void> {
  const update = tx
    .updateTable('services')
    .where('repository', '=', repository)
    .where('environment', '=', environment)
    .where('name', '=', name);
  if (from !== undefined) {
    // Where it was not the last success that Helm returned to, it stays unknown who deployed it.
    const returned = update.set({ helm_revision: helmRevision ?? null });
    await returned.where('helm_revision', '=', from).execute();
    return;
  }
  await update
    .set({
      helm_revision: helmRevision ?? null,
      fingerprint: fingerprint ?? null,
      chart_version: chartVersion ?? null,
      chart_digest: chartDigest ?? null,
    })
    .execute();
}

async function storeFailure(
  tx: Tx,
  deployment: RecordingDeployment,
  { name, fingerprint, chartVersion, chartDigest, cause }: ServiceRecord,
): Promise<void> {
  if (fingerprint === undefined || cause === undefined) return;
  const { repository, environment } = deployment;
  const now = {
    fingerprint,
    chart_version: chartVersion ?? null,
    chart_digest: chartDigest ?? null,
    cause: json(cause),
    deployment_id: deployment.id,
    at: NOW,
  };
  await tx
    .insertInto('service_failures')
    .values({ repository, environment, name, ...now })
    .onConflict((conflict) => conflict.columns(KEY).doUpdateSet(now))
    .execute();
}

async function forget(
  tx: Tx,
  { repository, environment }: RecordingDeployment,
  name: string,
  table: 'services' | 'service_failures',
): Promise<void> {
  await tx
    .deleteFrom(table)
    .where('repository', '=', repository)
    .where('environment', '=', environment)
    .where('name', '=', name)
    .execute();
}

function present<K extends string, V>(key: K, value: V | null | undefined): Partial<Record<K, V>> {
  return value === null || value === undefined ? {} : ({ [key]: value } as Record<K, V>);
}
