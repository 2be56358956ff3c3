import { BoundedMap } from '../src/domain/bounded-map.ts';
import type { CauseReport } from '../src/domain/cause.ts';
import type { WorkloadVerdict } from '../src/domain/rollout.ts';

/** What the looks at one attempt saw and the next look may no longer find. */
export interface RolloutMemory {
  /** The ends of its Jobs, by workload. */
  jobs: Map<string, WorkloadVerdict>;
  /** The restarts of containers at first sight. */
  restarts: Map<string, number>;
  /** The latest trouble of each service, with its proof. */
  troubles: Map<string, CauseReport>;
}

const MEMORIES_MAX = 100;

/**
 * A memory for each attempt, shared by the watches beside the apply and after it. It is a help only: a
 * worker that takes over begins with an empty one. The oldest is forgotten, as its attempt has long ended.
 */
export function createRolloutMemories(): (deploymentId: string, attempt: number) => RolloutMemory {
  const memories = new BoundedMap<string, RolloutMemory>(MEMORIES_MAX);
  return (deploymentId, attempt) => {
    const key = `${deploymentId}/${attempt}`;
    const known = memories.get(key);
    if (known) return known;
    const fresh: RolloutMemory = {
      jobs: new Map(),
      restarts: new Map(),
      troubles: new Map(),
    };
    memories.set(key, fresh);
    return fresh;
  };
}
