import { ApplicationFailure, Context } from '@temporalio/activity';
import { WithStartWorkflowOperation } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Orchestrator } from '../../src/adapters/temporal/orchestrator.ts';
import type { OutcomeRecord, ServiceActivities } from '../../src/contract/workflow/activities.ts';
import {
  deploymentWorkflowId,
  laneWorkflowId,
  SERVICE_QUEUE,
} from '../../src/contract/workflow/ids.ts';
import {
  CANCEL_DEPLOYMENT_SIGNAL,
  SUBMIT_UPDATE,
  type SubmitInput,
  type SubmitResult,
} from '../../src/contract/workflow/messages.ts';
import type { DeploymentRequest } from '../../src/contract/workflow/payloads.ts';
import { decideOrder } from '../../src/domain/ordering.ts';
import type { laneWorkflow } from '../../workflows/lane.ts';
import { commitId, deploymentRequest } from '../support/requests.ts';
import { startDevServer, withWorkers } from '../support/temporal.ts';
import { until } from '../support/until.ts';

let environment: TestWorkflowEnvironment;
let orchestrator: Orchestrator;
beforeAll(async () => {
  environment = await startDevServer();
  orchestrator = new Orchestrator({ address: environment.address, namespace: 'default' });
});
afterAll(async () => {
  await orchestrator.close();
  await environment.teardown();
});

test('of what arrives while a deployment runs, only the newest commit is deployed after it', async () => {
  await inLane('newest', async (lane) => {
    await lane.submit(1);
    await lane.started(1);
    for (const commit of [2, 4, 3]) await lane.submit(commit);
    await until(() => lane.end(3) && lane.end(2));
    lane.finish(1);
    await lane.started(4);
    lane.finish(4);
    await until(() => lane.end(4));
    expect(lane.applied).toEqual([1, 4]);
    expect(lane.end(2)).toMatchObject({ phase: 'superseded', cause: { code: 'newer-commit' } });
    expect(lane.end(3)).toMatchObject({ phase: 'superseded', cause: { code: 'older-commit' } });
    expect(lane.together).toBe(1);
  });
});

test('an older commit that comes after a newer one was deployed is refused', async () => {
  await inLane('older', async (lane) => {
    await lane.submit(5);
    await lane.started(5);
    lane.finish(5);
    await until(() => lane.end(5));
    await lane.submit(4);
    await until(() => lane.end(4));
    expect(lane.end(4)).toMatchObject({ phase: 'superseded', cause: { code: 'older-commit' } });
    expect(lane.applied).toEqual([5]);
  });
});

test('what waits behind a manual deployment is put in order again before it starts', async () => {
  await inLane('again', async (lane) => {
    await lane.submit(1);
    await lane.started(1);
    await lane.submit(9, 'manual');
    await lane.submit(5);
    lane.finish(1);
    await lane.started(9);
    lane.finish(9);
    await until(() => lane.end(5));
    expect(lane.applied).toEqual([1, 9]);
    expect(lane.end(5)).toMatchObject({ phase: 'superseded', cause: { code: 'older-commit' } });
  });
});

test.each([
  ['refuses us', 'the token expired', { type: 'git-auth', nonRetryable: true }],
  ['is away', 'connect ECONNREFUSED 10.0.0.1:443', { type: 'git-unreachable' }],
])(
  'a git server that %s is told, and ends neither the lane nor what runs',
  async (_, message, kind) => {
    await inLane(kind.type, async (lane) => {
      await lane.submit(1);
      await lane.started(1);
      lane.gitTrouble = ApplicationFailure.create({ message, ...kind });
      await lane.submit(2);
      await until(() => lane.notes.some((note) => note.startsWith('Waits to be put in order: ')));
      lane.finish(1);
      await until(() => lane.end(1));
      expect(lane.end(1)?.phase).toBe('succeeded');
      lane.gitTrouble = undefined;
      // Another push asks again at once; by itself the lane asks after half a minute.
      await lane.submit(3);
      await lane.started(3);
      lane.finish(3);
      await until(() => lane.end(3));
      expect(lane.applied).toEqual([1, 3]);
    });
  },
);

test('the same request is queued once, and after its end is answered with that end', async () => {
  await inLane('twice', async (lane) => {
    expect(await lane.submit(1)).toEqual({ answer: 'queued' });
    expect(await lane.submit(1)).toEqual({ answer: 'known' });
    await lane.started(1);
    lane.finish(1);
    await until(() => lane.end(1));
    await until(async () => (await lane.submit(1)).answer === 'ended');
    expect(lane.applied).toEqual([1]);
  });
});

test('a waiting deployment is cancelled at once, a running one through its own end', async () => {
  await inLane('cancel', async (lane) => {
    await lane.submit(1);
    await lane.started(1);
    await lane.submit(2);
    await lane.cancel(2);
    await until(() => lane.end(2));
    expect(lane.end(2)).toMatchObject({ phase: 'cancelled' });
    await lane.cancel(1);
    await until(() => lane.end(1));
    expect(lane.end(1)).toMatchObject({
      phase: 'cancelled',
      cause: { sentence: 'Cancelled by Ada.' },
    });
    expect(lane.applied).toEqual([1]);
  });
});

test('a newer commit takes the place of a deployment that pauses between attempts', async () => {
  await inLane('overtaken', async (lane) => {
    lane.unreachable.add(1);
    await lane.submit(1);
    await until(() => lane.notes.some((note) => note.includes('Next attempt at')));
    await lane.submit(2);
    await lane.started(2);
    lane.finish(2);
    await until(() => lane.end(2));
    expect(lane.end(1)).toMatchObject({ phase: 'superseded', cause: { code: 'newer-commit' } });
    expect(lane.applied).toEqual([1, 2]);
  });
});

test('a lane that was terminated comes back, and what still runs is brought to its end first', async () => {
  await inLane('lost', async (lane) => {
    await lane.submit(1);
    await lane.started(1);
    await lane.terminate();
    // Releases that hear nothing ask again.
    expect(await lane.submit(1)).toEqual({ answer: 'queued' });
    await lane.submit(2);
    lane.finish(1);
    await until(() => lane.end(1));
    await lane.started(2);
    lane.finish(2);
    await until(() => lane.end(2));
    expect(lane.end(1)).toMatchObject({ phase: 'succeeded' });
    expect(lane.applied).toEqual([1, 2]);
    expect(lane.together).toBe(1);
  });
});

test('what outlived its lane can be cancelled through the new one, and nothing else is by that', async () => {
  await inLane('outlived', async (lane) => {
    await lane.submit(1);
    await lane.started(1);
    await lane.terminate();
    await lane.submit(1);
    await lane.submit(2, 'manual');
    await lane.cancel(1);
    await until(() => lane.end(1));
    expect(lane.end(1)).toMatchObject({
      phase: 'cancelled',
      cause: { sentence: 'Cancelled by Ada.' },
    });
    await lane.started(2);
    lane.finish(2);
    await until(() => lane.end(2));
    expect(lane.end(2)?.phase).toBe('succeeded');
    expect(lane.applied).toEqual([1, 2]);
  });
});

test('a deployment that was terminated is recorded as errored, and the lane goes on', async () => {
  await inLane('terminated', async (lane) => {
    await lane.submit(1);
    await lane.started(1);
    await environment.client.workflow.getHandle(deploymentWorkflowId(lane.key)).terminate();
    await until(() => lane.end(1));
    expect(lane.end(1)).toMatchObject({ phase: 'errored', cause: { code: 'worker-lost' } });
    await lane.submit(2);
    await lane.started(2);
    lane.finish(2);
    await until(() => lane.end(2));
    expect(lane.end(2)?.phase).toBe('succeeded');
  });
});

test("people find a deployment in Temporal's UI by environment, commit and phase", async () => {
  await inLane('search', async (lane) => {
    await lane.submit(1);
    await lane.started(1);
    lane.finish(1);
    await until(() => lane.end(1));
    const query = `SlipEnvironment = 'search' AND SlipCommit = '${commitId(1)}' AND SlipPhase = 'succeeded'`;
    await until(async () => {
      for await (const found of environment.client.workflow.list({ query })) {
        return found.workflowId === deploymentWorkflowId(lane.key);
      }
      return false;
    });
  });
});

/** A lane of its own, whose deployments apply until they are told to finish. */
async function inLane(name: string, story: (lane: Lane) => Promise<void>): Promise<void> {
  const lane = new Lane(name);
  await withWorkers(environment, lane.stubs(), async () => {
    await story(lane);
    await lane.terminate();
  });
}

class Lane {
  readonly key: { cluster: string; namespace: string };
  readonly applied: number[] = [];
  /** The most deployments that ever applied at the same time. */
  together = 0;
  gitTrouble: ApplicationFailure | undefined;
  /** Commits whose apply does not reach the cluster. */
  readonly unreachable = new Set<number>();
  readonly notes: string[] = [];
  readonly #ends = new Map<string, OutcomeRecord>();
  readonly #finished = new Set<string>();
  #applying = 0;
  #accepted: string | undefined;

  constructor(namespace: string) {
    this.key = { cluster: 'notprod', namespace };
  }

  async submit(
    commit: number,
    kind: DeploymentRequest['kind'] = 'automatic',
  ): Promise<SubmitResult> {
    const startWorkflowOperation = new WithStartWorkflowOperation<typeof laneWorkflow>(
      'laneWorkflow',
      {
        taskQueue: SERVICE_QUEUE,
        workflowId: laneWorkflowId(this.key),
        workflowIdConflictPolicy: 'USE_EXISTING',
        args: [this.key],
      },
    );
    return environment.client.workflow.executeUpdateWithStart<
      typeof laneWorkflow,
      SubmitResult,
      [SubmitInput]
    >(SUBMIT_UPDATE, { startWorkflowOperation, args: [{ request: this.#request(commit, kind) }] });
  }

  async cancel(commit: number): Promise<void> {
    const handle = environment.client.workflow.getHandle(laneWorkflowId(this.key));
    await handle.signal(CANCEL_DEPLOYMENT_SIGNAL, { deploymentId: this.#id(commit), by: 'Ada' });
  }

  terminate() {
    return environment.client.workflow.getHandle(laneWorkflowId(this.key)).terminate();
  }

  finish(commit: number): void {
    this.#finished.add(this.#id(commit));
  }

  started(commit: number): Promise<void> {
    return until(() => this.applied.includes(commit));
  }

  end(commit: number): OutcomeRecord | undefined {
    return this.#ends.get(this.#id(commit));
  }

  stubs() {
    const service: Partial<ServiceActivities> = {
      readRecorded: () => Promise.resolve([]),
      recordPhase: ({ note }) => {
        this.notes.push(note);
        return Promise.resolve();
      },
      recordOutcome: (record) => {
        this.#ends.set(record.deploymentId, record);
        return Promise.resolve();
      },
      lookAtDeployment: async ({ deploymentId = '', ...key }) => {
        const running = await orchestrator.runningDeployment(key);
        const end = this.#ends.get(deploymentId);
        return { ...(running ? { running } : {}), ...(end ? { end } : {}) };
      },
      acceptCommit: ({ commit, deploymentId }) => {
        const end = this.#ends.get(deploymentId);
        if (!end) this.#accepted = commit;
        return Promise.resolve(end);
      },
      // Commits of one branch: the ids grow from parent to child.
      orderWaiting: ({ candidates }) =>
        this.gitTrouble
          ? Promise.reject(this.gitTrouble)
          : Promise.resolve(
              decideOrder(this.#accepted, candidates, (older, newer) => older <= newer),
            ),
    };
    const cluster = {
      checkout: () => Promise.resolve({ title: '', author: '', committedAt: '' }),
      plan: () =>
        Promise.resolve({ digest: '', services: [{ name: 'example-api', chart: 'charts/api' }] }),
      inspect: () => Promise.resolve({ deadHolder: '', healed: [] }),
      heal: () => Promise.resolve({ healed: [] }),
      apply: ({ deployment }: { deployment: { deploymentId: string; commit: string } }) =>
        this.#apply(deployment),
      watchRollout: () => Promise.resolve({ state: 'healthy' as const, services: [] }),
    };
    return { service, cluster };
  }

  async #apply({ deploymentId, commit }: { deploymentId: string; commit: string }) {
    const { heartbeat, cancellationSignal } = Context.current();
    this.#applying += 1;
    this.together = Math.max(this.together, this.#applying);
    const number = Number.parseInt(commit.replace(/^a+/, ''), 16);
    this.applied.push(number);
    try {
      if (this.unreachable.has(number)) {
        throw ApplicationFailure.nonRetryable('connection refused', 'cluster-unreachable');
      }
      await until(() => {
        heartbeat();
        cancellationSignal.throwIfAborted();
        return this.#finished.has(deploymentId);
      });
    } finally {
      this.#applying -= 1;
    }
    return { durationMs: 1 };
  }

  #request(commit: number, kind: DeploymentRequest['kind']): DeploymentRequest {
    return deploymentRequest({
      kind,
      ...this.key,
      environment: this.key.namespace,
      commit: commitId(commit),
      deploymentId: this.#id(commit),
    });
  }

  #id(commit: number): string {
    return `dep_${this.key.namespace}_${commit}`;
  }
}
