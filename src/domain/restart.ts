import type { RolloutJudgement } from './services.ts';
import type { WorkloadVerdict } from './rollout.ts';

/** A workload whose pods can be replaced, as `slipway.yaml` names it: `deployment/frontend`. */
export const RESTART_PATTERN =
  '^(deployment|statefulset|daemonset)/[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$';

const KINDS = {
  deployment: 'Deployment',
  statefulset: 'StatefulSet',
  daemonset: 'DaemonSet',
} as const;

export interface RestartTarget {
  kind: (typeof KINDS)[keyof typeof KINDS];
  name: string;
}

/** Reads the name of a workload that the configuration let pass. */
export function parseRestart(workload: string): RestartTarget {
  const [kind = '', name = ''] = workload.split('/');
  return { kind: KINDS[kind as keyof typeof KINDS], name };
}

/** Judges what was restarted: healthy only when all of it is. */
export function judgeRestart(workloads: readonly WorkloadVerdict[]): RolloutJudgement {
  const failed = workloads.filter(({ state }) => state === 'failed');
  const cause = [...failed, ...workloads].find(({ trouble }) => trouble)?.trouble;
  const isHealthy = workloads.every(({ state }) => state === 'healthy');
  return {
    state: failed.length > 0 ? 'failed' : isHealthy ? 'healthy' : 'progressing',
    services: workloads.map(({ service, workload, state, progress, note, asleep }) => ({
      ...{ service, state, note: `${workload} restarted: ${note ?? progress}` },
      ...(asleep ? { health: 'asleep' as const } : {}),
    })),
    ...(cause && !isHealthy ? { cause } : {}),
  };
}
