import { WithStartWorkflowOperation } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Orchestrator } from '../../src/adapters/temporal/orchestrator.ts';
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
import { decideOrder, type Candidate, type OrderDecision } from '../../src/domain/ordering.ts';
import type { laneWorkflow } from '../../workflows/lane.ts';
import { deploymentRequest } from '../support/requests.ts';

/** A commit of one branch: the number grows from parent to child. */
export interface Push {
  number: number;
  /** How long its apply takes. */
  applyMs: number;
  kind?: DeploymentKind;
}

/** A lane with the real workflows, and with neighbours that only remember. */
export class SimulatedLane {
  /** The numbers of the commits that were written to the cluster, in order. */
  readonly applied: number[] = [];
  readonly ends = new Map<number, OutcomeRecord>();
  readonly pushed = new Map<number, Push>();
  readonly name: string;
  readonly #key: { cluster: string; namespace: string };
  readonly #environment: TestWorkflowEnvironment;
  #accepted: string | undefined;

  constructor(environment: TestWorkflowEnvironment, name: string) {
    this.#environment = environment;
    this.name = name;
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

  /** What an operator does to a lane, or the loss of Temporal's data. */
  async terminate(): Promise<void> {
    await this.#environment.client.workflow.getHandle(laneWorkflowId(this.#key)).terminate();
  }

  /** Lets time pass until every push has ended; asks again as releases do. */
  async settle(everyMs: number): Promise<void> {
    for (let round = 0; round < 200; round += 1) {
      const open = [...this.pushed.values()].filter(({ number }) => !this.ends.has(number));
      if (open.length === 0) return;
      await this.#environment.sleep(everyMs);
      if (round % 5 === 4) for (const push of open) await this.submit(push);
    }
    throw new Error('the lane did not settle');
  }

  /** As the activity looks. */
  async look(deploymentId?: string) {
    const address = this.#environment.address;
    const orchestrator = new Orchestrator({ address, namespace: 'default' });
    const running = await orchestrator.runningDeployment(this.#key);
    await orchestrator.close();
    const end = this.ends.get(Number(deploymentId?.slice('dep_'.length)));
    return { ...(running ? { running } : {}), ...(end ? { end } : {}) };
  }

  order(candidates: Candidate[]): OrderDecision {
    return decideOrder(this.#accepted, candidates, (a, b) => numberOf(a) <= numberOf(b));
  }

  accept(commit: string): OutcomeRecord | undefined {
    const end = this.ends.get(numberOf(commit));
    if (!end) this.#accepted = commit;
    return end;
  }

  end(record: OutcomeRecord): void {
    const number = Number(record.deploymentId.slice('dep_'.length));
    if (!this.ends.has(number)) this.ends.set(number, record);
  }

  apply(commit: string): void {
    this.applied.push(numberOf(commit));
  }
}

/** The neighbours of these lanes. */
export function stubsOf(lanes: readonly SimulatedLane[]): {
  service: Partial<ServiceActivities>;
  cluster: ClusterActivities;
} {
  const of = ({ environment }: { environment: string }) => {
    const lane = lanes.find(({ name }) => name === environment);
    if (!lane) throw new Error(`there is no lane ${environment}`);
    return lane;
  };
  return {
    service: {
      readRecorded: () => Promise.resolve([]),
      recordPhase: () => Promise.resolve(),
      recordOutcome: (record) => {
        of(record).end(record);
        return Promise.resolve();
      },
      acceptCommit: (input) => Promise.resolve(of(input).accept(input.commit)),
      lookAtDeployment: ({ deploymentId, namespace }) =>
        of({ environment: namespace }).look(deploymentId),
      orderWaiting: (input) => Promise.resolve(of(input).order(input.candidates)),
    },
    cluster: clusterThat(({ deployment }) => {
      of(deployment).apply(deployment.commit);
    }),
  };
}

/** A cluster where every commit changes one service, and every apply is healthy at once. */
export function clusterThat(
  applies: (input: Parameters<ClusterActivities['apply']>[0]) => void,
): ClusterActivities {
  const services = [{ name: 'example-api', chart: 'charts/api' }];
  return {
    checkout: () => Promise.resolve({ title: '', author: '', committedAt: '' }),
    plan: ({ deployment }) => Promise.resolve({ digest: deployment.commit, services }),
    readReleases: () => Promise.resolve([]),
    lookForDrift: () => Promise.reject(new Error('nobody looks for drift here')),
    readInputs: () => Promise.resolve({}),
    inspect: () => Promise.resolve({ deadHolder: '', healed: [] }),
    heal: () => Promise.resolve({ healed: [] }),
    apply: (input) => {
      applies(input);
      return Promise.resolve({ durationMs: 1 });
    },
    restart: () => Promise.reject(new Error('nothing restarts here')),
    rollBack: () => Promise.resolve({ takenBack: [] }),
    watchRollout: () => Promise.resolve({ state: 'healthy', services: [] }),
  };
}

/** Milliseconds of the apply in front, the number at the end. */
function commitOf({ number, applyMs }: Push): string {
  return String(applyMs).padStart(6, '0') + String(number).padStart(34, '0');
}

function numberOf(commit: string): number {
  return Number(commit.slice(6));
}
