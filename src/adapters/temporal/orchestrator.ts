import {
  Client,
  Connection,
  isGrpcServiceError,
  ServiceError,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type WorkflowIdReusePolicy,
} from '@temporalio/client';
import {
  deploymentWorkflowId,
  laneWorkflowId,
  releaseWorkflowId,
  SERVICE_QUEUE,
  type LaneKey,
} from '../../contract/workflow/ids.ts';
import {
  CANCEL_RELEASE_SIGNAL,
  GATES_CHANGED_SIGNAL,
  SUBMIT_UPDATE,
  type CancelReleaseInput,
  type SubmitInput,
  type SubmitResult,
} from '../../contract/workflow/messages.ts';
import type {
  DeploymentRequest,
  EnvironmentRef,
  LaneState,
  ReleaseInput,
} from '../../contract/workflow/payloads.ts';
import { Refusal } from '../../domain/errors.ts';
import { lookForDriftNow, setDriftSchedules, type DriftWatch } from './drift.ts';
import { pollNow, setPollSchedules, type Poll } from './polls.ts';
import { hasWorker } from './presence.ts';
import { releaseAttributes } from './search-attributes.ts';

// The relay and the API try again; a call that hangs would only hide that Temporal is away.
const START_DEADLINE_MS = 3_000;
// An update waits for a worker to take the workflow's task.
const UPDATE_DEADLINE_MS = 15_000;

/** What passes by itself, of gRPC's codes: cancelled, deadline, exhausted, aborted, internal, unavailable. */
const PASSING_CODES: readonly unknown[] = [1, 4, 8, 10, 13, 14];
// Some calls for each repository or environment.
const SCHEDULES_DEADLINE_MS = 60_000;

type Lane = (key: LaneKey, carried?: LaneState) => Promise<void>;

/** Slipway's calls to Temporal, under deadlines. Connects at the first call, so that HTTP starts without it. */
export class Orchestrator {
  readonly #connection: Connection;
  readonly #client: Client;

  constructor(options: { address: string; namespace: string }) {
    this.#connection = Connection.lazy({ address: options.address });
    this.#client = new Client({ connection: this.#connection, namespace: options.namespace });
  }

  /** Starts the workflow of a release; one that was started before, running or ended, is left alone. */
  startRelease(input: ReleaseInput): Promise<void> {
    return this.#startRelease(input, 'REJECT_DUPLICATE');
  }

  /** Starts the workflow of a release that is not over, unless it runs: it was lost, or terminated. */
  resumeRelease(input: ReleaseInput): Promise<void> {
    return this.#startRelease(input, 'ALLOW_DUPLICATE');
  }

  async #startRelease(input: ReleaseInput, reuse: WorkflowIdReusePolicy): Promise<void> {
    try {
      await this.#within(START_DEADLINE_MS, () =>
        this.#client.workflow.start('releaseWorkflow', {
          taskQueue: SERVICE_QUEUE,
          workflowId: releaseWorkflowId(input.repository, input.commit, input.run),
          workflowIdReusePolicy: reuse,
          workflowIdConflictPolicy: 'USE_EXISTING',
          args: [input],
          staticSummary: `${input.kind === 'rollback' ? 'Rollback to release' : 'Release'} ${input.releaseNumber}: ${input.repository} at ${input.commit.slice(0, 8)}`,
          typedSearchAttributes: releaseAttributes(input),
        }),
      );
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return;
      throw isAway(error) ? new Refusal('unavailable', 'Temporal does not answer') : error;
    }
  }

  /** Hands a deployment to its lane, which is started when it does not run. */
  async submitToLane(request: DeploymentRequest): Promise<SubmitResult> {
    const { cluster, namespace, environment, repository } = request;
    const lane = new WithStartWorkflowOperation<Lane>('laneWorkflow', {
      taskQueue: SERVICE_QUEUE,
      workflowId: laneWorkflowId(request),
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: [{ cluster, namespace }],
      staticSummary: `Lane of ${environment} (${repository}): one deployment at a time`,
    });
    return this.#within(UPDATE_DEADLINE_MS, () =>
      this.#client.workflow.executeUpdateWithStart<Lane, SubmitResult, [SubmitInput]>(
        SUBMIT_UPDATE,
        {
          startWorkflowOperation: lane,
          args: [{ request }],
        },
      ),
    );
  }

  /** The deployment that runs in a namespace, as it was asked for. */
  async runningDeployment(key: LaneKey): Promise<DeploymentRequest | undefined> {
    const deployment = this.#client.workflow.getHandle(deploymentWorkflowId(key));
    try {
      const { status, memo } = await this.#within(START_DEADLINE_MS, () => deployment.describe());
      // Its lane wrote it there.
      return status.name === 'RUNNING' ? (memo?.request as DeploymentRequest) : undefined;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  }

  /** Asks a run of a release to cancel its deployments, or one; false when it is over already. */
  async cancelRelease(
    release: { repository: string; commit: string; run: number },
    input: CancelReleaseInput,
  ): Promise<boolean> {
    const id = releaseWorkflowId(release.repository, release.commit, release.run);
    try {
      await this.#within(START_DEADLINE_MS, () =>
        this.#client.workflow.getHandle(id).signal(CANCEL_RELEASE_SIGNAL, input),
      );
      return true;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  }

  /** Tells the deployments of these lanes to look at their gates again; those that are over do not care. */
  async gatesChanged(lanes: readonly LaneKey[]): Promise<void> {
    await this.#within(START_DEADLINE_MS, async () => {
      for (const lane of lanes) {
        const deployment = this.#client.workflow.getHandle(deploymentWorkflowId(lane));
        await deployment.signal(GATES_CHANGED_SIGNAL).catch((error: unknown) => {
          if (!(error instanceof WorkflowNotFoundError)) throw error;
        });
      }
    });
  }

  /** Has exactly these branches polled. */
  async setPollSchedules(polls: readonly Poll[]): Promise<void> {
    await this.#within(SCHEDULES_DEADLINE_MS, () => setPollSchedules(this.#client, polls));
  }

  /** Has each of these branches looked at now. */
  async pollNow(polls: readonly Poll[]): Promise<void> {
    await this.#within(SCHEDULES_DEADLINE_MS, () => pollNow(this.#client, polls));
  }

  /** Makes the schedules of the looks for drift those that are given. */
  async setDriftSchedules(watches: readonly DriftWatch[]): Promise<void> {
    await this.#within(SCHEDULES_DEADLINE_MS, () => setDriftSchedules(this.#client, watches));
  }

  /** Has one environment looked at for drift now. */
  async lookForDrift(environment: EnvironmentRef): Promise<void> {
    try {
      await this.#within(START_DEADLINE_MS, () => lookForDriftNow(this.#client, environment));
    } catch (error) {
      throw isAway(error) ? new Refusal('unavailable', 'Temporal does not answer') : error;
    }
  }

  /** Whether a worker of the cluster is there; Temporal forgets one within five minutes after it is gone. */
  hasWorker(cluster: string): Promise<boolean> {
    const { namespace } = this.#client.options;
    return this.#within(START_DEADLINE_MS, () =>
      hasWorker(this.#connection, { namespace, cluster }),
    );
  }

  /** Throws when Temporal does not answer. */
  async check(): Promise<void> {
    await this.#within(START_DEADLINE_MS, () => this.#connection.healthService.check({}));
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  #within<T>(deadlineMs: number, call: () => Promise<T>): Promise<T> {
    return this.#connection.withDeadline(Date.now() + deadlineMs, call);
  }
}

function isAway(error: unknown): boolean {
  const cause = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(cause) && PASSING_CODES.includes(cause.code);
}
