import { WithStartWorkflowOperation } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type {
  ClusterActivities,
  OutcomeRecord,
  ServiceActivities,
} from '../../src/contract/workflow/activities.ts';
import { laneWorkflowId, SERVICE_QUEUE } from '../../src/contract/workflow/ids.ts';
import {
  SUBMIT_UPDATE,
  type SubmitInput,
  type SubmitResult,
} from '../../src/contract/workflow/messages.ts';
import type { DeploymentKind } from '../../src/domain/overtaking.ts';
import { decideOrder } from '../../src/domain/ordering.ts';
import type { laneWorkflow } from '../../workflows/lane.ts';
import { deploymentRequest } from '../support/requests.ts';

/** A commit of one branch: the number grows from parent to child. */
export interface Push {
  number: number;
  /** How long its apply takes. */
  applySeconds: number;
  kind?: DeploymentKind;
}

/** A lane with the real workflows, and with neighbours that only remember. */
export class SimulatedLane {
  /** The numbers of the commits that were written to the cluster, in order. */
  readonly applied: number[] = [];
  readonly ends = new Map<number, OutcomeRecord>();
  readonly pushed = new Map<number, Push>();
  readonly #key: { cluster: string; namespace: string };
  readonly #environment: TestWorkflowEnvironment;
  #accepted: string | undefined;

  constructor(environment: TestWorkflowEnvironment, name: string) {
    this.#environment = environment;
    this.#key = { cluster: 'notprod', namespace: name };
  }

  /** What a release does, and does again when it hears nothing. */
  async submit(push: Push): Promise<SubmitResult> {
    this.pushed.set(push.number, push);
    const operation = new WithStartWorkflowOperation<typeof laneWorkflow>('laneWorkflow', {
      taskQueue: SERVICE_QUEUE,
      workflowId: laneWorkflowId(this.#key),
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: [this.#key],
    });
    const request = deploymentRequest({
      ...this.#key,
      environment: this.#key.namespace,
      commit: commitOf(push),
      releaseNumber: push.number,
      deploymentId: `dep_${push.number}`,
      kind: push.kind ?? 'automatic',
    });
    return this.#environment.client.workflow.executeUpdateWithStart<
      typeof laneWorkflow,
      SubmitResult,
      [SubmitInput]
    >(SUBMIT_UPDATE, { startWorkflowOperation: operation, args: [{ request }] });
  }

  /** Lets time pass until every push has ended; asks again as releases do. */
  async settle(): Promise<void> {
    for (let round = 0; round < 200; round += 1) {
      const open = [...this.pushed.values()].filter(({ number }) => !this.ends.has(number));
      if (open.length === 0) return;
      await this.#environment.sleep('20s');
      if (round % 5 === 4) for (const push of open) await this.submit(push);
    }
    throw new Error('the lane did not settle');
  }

  stubs(): { service: Partial<ServiceActivities>; cluster: ClusterActivities } {
    const isAncestor = (older: string, newer: string) => numberOf(older) <= numberOf(newer);
    return {
      service: {
        readRecorded: () => Promise.resolve([]),
        recordPhase: () => Promise.resolve(),
        recordOutcome: (record) => {
          const number = Number(record.deploymentId.slice('dep_'.length));
          if (!this.ends.has(number)) this.ends.set(number, record);
          return Promise.resolve();
        },
        acceptCommit: ({ commit }) => {
          const end = this.ends.get(numberOf(commit));
          if (!end) this.#accepted = commit;
          return Promise.resolve(end);
        },
        orderWaiting: ({ candidates }) =>
          Promise.resolve(decideOrder(this.#accepted, candidates, isAncestor)),
      },
      cluster: {
        checkout: () => Promise.resolve({ title: '', author: '', committedAt: '' }),
        plan: () =>
          Promise.resolve({ digest: '', services: [{ name: 'example-api', chart: 'charts/api' }] }),
        inspect: () => Promise.resolve({ deadHolder: '', healed: [] }),
        heal: () => Promise.resolve({ healed: [] }),
        apply: ({ deployment }) => {
          this.applied.push(numberOf(deployment.commit));
          return Promise.resolve({ durationMs: 1 });
        },
        restart: () => Promise.reject(new Error('nothing restarts here')),
        rollBack: () => Promise.resolve({ takenBack: [] }),
        watchRollout: () => Promise.resolve({ state: 'healthy', services: [] }),
      },
    };
  }
}

/** Seconds of the apply in front, the number at the end. */
function commitOf({ number, applySeconds }: Push): string {
  return String(applySeconds).padStart(4, '0') + String(number).padStart(36, '0');
}

function numberOf(commit: string): number {
  return Number(commit.slice(4));
}
