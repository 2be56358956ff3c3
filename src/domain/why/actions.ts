import type { CauseReport } from '../cause.ts';

const RERUN = 'Rerun the deployment when that is mended.';
const ROLL_BACK = 'Roll the environment back to the last good release.';
const LOG = 'Read the log of the container.';

/** What to do next about each cause, the most likely first; says nothing that Slipway does by itself. */
export const ACTIONS: Record<CauseReport['code'], readonly string[]> = {
  'template-error': ['Correct the line that is named, and merge.', 'Try it with `slipway plan`.'],
  'values-missing': ['Set the value that is named, and merge.', RERUN],
  'chart-unresolved': [
    'Check the name and the version range of the chart.',
    'Publish the chart, then rerun.',
  ],
  'chart-auth': ['Renew the login of the chart repository on the worker.', RERUN],
  'immutable-field': [
    'Undo the change of this field; or delete the object in a quiet moment and rerun.',
    ROLL_BACK,
  ],
  'commit-missing': ['Push the commit again, or release the head of the branch.'],
  'repository-refused': ['Change what is refused, or permit it by `allow` in slipway.yaml.'],
  'namespace-missing': ['Create the namespace, or correct its name in slipway.yaml.', RERUN],
  'workload-missing': ['Correct `restart` in slipway.yaml, or deploy the workload.', RERUN],
  'rbac-forbidden': ["Grant the permission to the worker's account.", RERUN],
  'git-auth': ['Renew the credentials for the repository.', RERUN],
  'git-unreachable': ['Wait: it is tried again.', 'Check the forge.'],
  'image-not-found': ['Check the version, and that its build pushed the image.', RERUN, ROLL_BACK],
  'image-auth': ["Renew the namespace's pull secret for the registry.", RERUN],
  'image-slow': ['Check the registry and the size of the image.', RERUN],
  'crash-loop': [LOG, 'Compare what this deployment changed.', ROLL_BACK],
  'oom-killed': ['Raise the memory limit, or find what needs the memory.', ROLL_BACK],
  'init-failed': ['Read the log of the init container.', ROLL_BACK],
  'readiness-failing': ['Ask what the probe asks.', LOG, ROLL_BACK],
  unschedulable: ['Make room on the nodes, or lower the requests.', RERUN],
  'eviction-blocked': ['Run more replicas than the disruption budget needs.', RERUN],
  asleep: ['Nothing: it is verified when it wakes.'],
  'admission-denied': ['Change what the policy refuses, or ask its owner.', RERUN],
  quota: ["Raise the namespace's quota, or lower what is requested.", RERUN],
  'job-failed': ['Read the log of the Job.', RERUN],
  'hook-failed': ["Read the log of the hook's Job.", RERUN],
  'progress-deadline': ['Look at the workload that is named.', ROLL_BACK],
  'rollout-timeout': ['Look at the workload that is named.', 'Raise `rollout.timeout`.'],
  'helm-failed': ['Read the log of the apply.', RERUN],
  'helm-rolled-back': ['Read the log of the apply.', RERUN],
  'helm-locked': ['Wait for the other operation to end.', RERUN],
  'cluster-unreachable': ['Check the API server and the line to it.', RERUN],
  'cluster-auth': ["Renew the worker's token for the cluster.", RERUN],
  'chart-repository-unreachable': ['Check the chart repository and the line to it.', RERUN],
  'tool-missing': ['Run `slipway tools install` on the worker.', RERUN],
  'output-too-large': ['Find what prints so much.', RERUN],
  'worker-lost': ['Check the worker of the cluster.', RERUN],
  'plan-changed': ['Rerun the deployment: it makes a new plan.'],
  unknown: ['Read the log of the deployment.', RERUN],
  dependency: ['Mend the environment before it, then rerun.'],
  'older-commit': ['Nothing: a newer commit is released already.'],
  'newer-commit': ['Nothing: the newer release goes on.'],
  'rewritten-history': ['Release the head of the branch by hand.'],
  cancelled: ['Rerun the deployment when it is wanted again.'],
};
