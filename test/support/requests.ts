import type {
  DeploymentRequest,
  ReleaseInput,
  ReleaseTarget,
} from '../../src/contract/workflow/payloads.ts';

const retry = { attempts: 3, backoffMs: 30_000, limitMs: 600_000 };
const rollout = { timeoutMs: 600_000, soakMs: 30_000, restartsMax: 5 };

/** A commit id of 40 digits that ends with the number. */
export function commitId(number: number): string {
  return number.toString(16).padStart(40, 'a');
}

export function releaseInput(change: Partial<ReleaseInput> = {}): ReleaseInput {
  return {
    releaseId: 'rel_1',
    releaseNumber: 1,
    repository: 'deployments',
    commit: commitId(1),
    run: 0,
    kind: 'automatic',
    force: false,
    ...change,
  };
}

export function releaseTarget(environment: string, after: string[] = []): ReleaseTarget {
  return {
    environment,
    cluster: 'notprod',
    namespace: environment,
    after,
    deploymentId: `dep_${environment}`,
    deploymentNumber: 1,
    retry,
    rollout,
  };
}

export function deploymentRequest(change: Partial<DeploymentRequest> = {}): DeploymentRequest {
  const { releaseId, releaseNumber, repository, commit, kind, force } = releaseInput();
  const { environment, cluster, namespace, deploymentId, deploymentNumber } =
    releaseTarget('cs-dev');
  return {
    ...{ releaseId, releaseNumber, repository, commit, kind, force },
    ...{ environment, cluster, namespace, deploymentId, deploymentNumber, retry, rollout },
    releaseWorkflowId: 'release/none',
    title: 'Bump example-api to 2.4.2',
    ...change,
  };
}
