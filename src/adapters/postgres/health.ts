import type { HealthRecord } from '../../contract/health-sink.ts';
import {
  mergeHealth,
  worstHealth,
  type HealthState,
  type ServiceHealth,
} from '../../domain/health.ts';
import type { Db } from './database.ts';
import { iso, json } from './values.ts';

export interface StoredHealth {
  state: HealthState;
  at: string;
  services: ServiceHealth[];
}

/** How well what deployments left runs. It changes after their ends too, and never changes those. */
export function createHealth(db: Db) {
  return {
    /** Keeps what a look found; one that comes late, after a newer one, changes nothing. */
    store: ({ deploymentId, at, services, partial = false }: HealthRecord): Promise<void> =>
      db.transaction().execute(async (tx) => {
        const key = { deployment_id: deploymentId };
        const nothing = { ...key, state: 'healthy', services: '[]', at: new Date(0) } as const;
        await tx
          .insertInto('health')
          .values(nothing)
          .onConflict((conflict) => conflict.doNothing())
          .execute();
        const row = await tx
          .selectFrom('health')
          .select(['at', 'services'])
          .where('deployment_id', '=', deploymentId)
          .forUpdate()
          .executeTakeFirstOrThrow();
        if (new Date(at) < row.at) return;
        const merged = mergeHealth(row.services, services, partial);
        await tx
          .updateTable('health')
          .set({ state: worstHealth(merged), services: json(merged), at: new Date(at) })
          .where('deployment_id', '=', deploymentId)
          .execute();
      }),

    find: async (deploymentId: string): Promise<StoredHealth | undefined> => {
      const row = await db
        .selectFrom('health')
        .select(['state', 'at', 'services'])
        .where('deployment_id', '=', deploymentId)
        .executeTakeFirst();
      return row && { ...row, at: iso(row.at) };
    },
  };
}
