import { OBSERVED_DIGEST } from '../src/contract/plan-sink.ts';
import type { ClusterActivities } from '../src/contract/workflow/activities.ts';
import type { ClusterDeps } from './cluster-deps.ts';
import { beating } from './heartbeat.ts';
import { logging } from './log-writer.ts';
import { makePlan } from './make-plan.ts';

/** Plans a deployment: which services it changes and why, and which it leaves alone. */
export function createPlan(deps: ClusterDeps): ClusterActivities['plan'] {
  return ({ deployment, force, manual = false, recorded = [], afterwards }) =>
    beating((signal) =>
      logging(
        deps.logs,
        { deploymentId: deployment.deploymentId, attempt: 0, step: 'plan' },
        async (write) => {
          const question = { force, manual, recorded };
          const { diff, ...plan } = await deps.withHelmfile(deployment, 0, signal, (helmfile) =>
            makePlan(deps, deployment, helmfile, question),
          );
          for (const { name, action = 'upgrade', reason = '' } of plan.services) {
            write(`${name}: ${action}, ${reason}`);
          }
          for (const { name, reason = '' } of plan.adopted ?? []) {
            write(`${name}: runs what the commit says, recorded without an upgrade (${reason})`);
          }
          for (const { name, state, note } of plan.untouched ?? []) {
            write(`${name}: ${state}, ${note}`);
          }
          for (const workload of plan.restart ?? []) write(`${workload}: restart afterwards`);
          write(`unchanged: ${plan.unchanged ?? 0}`);
          // Too large for a history, which finds it again by the digest.
          const { deploymentId } = deployment;
          const digest = afterwards ? OBSERVED_DIGEST : plan.digest;
          if (diff) await deps.plans.store({ deploymentId, digest, diff });
          return plan;
        },
      ),
    );
}
