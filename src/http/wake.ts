import type { FastifyBaseLogger } from 'fastify';
import type { AppDependencies } from './dependencies.ts';

interface Scope {
  cluster?: string | undefined;
  repository?: string | undefined;
  environment?: string | undefined;
}

/** Tells the deployments that wait in a scope to look at their gates again. */
export type Wake = (scope: Scope) => Promise<void>;

/** What changed is written already, and who waits looks again by itself: a lost call only costs time. */
export function createWake(
  { store, orchestrator }: Pick<AppDependencies, 'store' | 'orchestrator'>,
  log: FastifyBaseLogger,
): Wake {
  return async ({ cluster, repository, environment }) => {
    try {
      const lanes = await store.gates.waitingLanes({
        ...(cluster === undefined ? {} : { cluster }),
        ...(repository === undefined ? {} : { repository }),
        ...(environment === undefined ? {} : { environment }),
      });
      await orchestrator.gatesChanged(lanes);
    } catch (error) {
      log.warn({ err: error }, 'waiting deployments were not told of a changed gate');
    }
  };
}
