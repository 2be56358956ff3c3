import { condition, defineSignal, setHandler } from '@temporalio/workflow';
import type { GatesAnswer, GatesInput } from '../src/contract/workflow/activities.ts';
import { GATES_CHANGED_SIGNAL } from '../src/contract/workflow/messages.ts';
import type { DeploymentRequest } from '../src/contract/workflow/payloads.ts';
import type { CauseReport } from '../src/domain/cause.ts';
import type { Waiting } from '../src/domain/gates/facts.ts';
import { readGates } from './activity-options.ts';

const gatesChanged = defineSignal(GATES_CHANGED_SIGNAL);

// A signal or `until` opens a gate at once; this is for a signal that was lost, and must not fill the history.
const LOOK_AGAIN_FIRST_MS = 60_000;
const LOOK_AGAIN_MAX_MS = 6 * 60 * 60_000;
// Clocks differ: what is due now may be due in a moment for the database.
const UNTIL_MIN_MS = 1_000;

export interface GateWatch {
  /** Waits until all are open; answers nothing then, or the cause with which the deployment ends. */
  pass: (digest?: string) => Promise<CauseReport | undefined>;
  /** Waits while the cluster has no worker, and for nothing else; answers whether it had to. */
  untilWorker: () => Promise<boolean>;
}

/**
 * The gates of one deployment. With a digest `pass` asks for the plan's approval too.
 *
 * @param wait told what it waits for, whenever that changes
 * @param hasApplied whether an attempt has begun to change the cluster
 */
export function watchGates(
  request: DeploymentRequest,
  wait: (waiting: Waiting) => Promise<void>,
  hasApplied: () => boolean,
): GateWatch {
  const { deploymentId, repository, environment, cluster, kind, approval: policy } = request;
  let changed = false;
  let asked: { digest: string; since: string } | undefined;
  setHandler(gatesChanged, () => {
    changed = true;
  });

  return {
    pass: async (digest) => {
      if (digest !== undefined && asked?.digest !== digest) {
        asked = { digest, since: new Date().toISOString() };
      }
      const approval =
        policy && digest !== undefined && asked ? { approval: { policy, plan: asked } } : {};
      // What was begun is brought to its end, whatever becomes of what it followed.
      const applied = hasApplied() ? { applied: true as const } : {};
      const { answer } = await untilOpen({ ...approval, ...applied });
      return answer.answer === 'end' ? answer.cause : undefined;
    },
    untilWorker: async () => (await untilOpen({ only: 'worker' })).waited,
  };

  async function untilOpen(question: Pick<GatesInput, 'approval' | 'applied' | 'only'>) {
    let said = '';
    let lookAgainMs = LOOK_AGAIN_FIRST_MS;
    let absent: { absentSince?: string } = {};
    for (;;) {
      changed = false;
      const now = new Date().toISOString();
      const place = { deploymentId, repository, environment, cluster };
      const answer: GatesAnswer = await readGates({ ...place, kind, now, ...question, ...absent });
      if (answer.answer !== 'wait') return { answer, waited: said !== '' };
      const { waiting } = answer;
      absent = waiting.since === undefined ? {} : { absentSince: waiting.since };
      if (said !== waiting.sentence) {
        said = waiting.sentence;
        lookAgainMs = LOOK_AGAIN_FIRST_MS;
        await wait(waiting);
      }
      const dueMs = waiting.until === undefined ? Infinity : Date.parse(waiting.until) - Date.now();
      await condition(() => changed, Math.min(lookAgainMs, Math.max(dueMs, UNTIL_MIN_MS)));
      lookAgainMs = Math.min(2 * lookAgainMs, LOOK_AGAIN_MAX_MS);
    }
  }
}
