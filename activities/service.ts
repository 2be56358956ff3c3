import type { Mirror } from '../src/adapters/git/mirror.ts';
import type {
  OutcomeRecord,
  PhaseRecord,
  ServiceActivities,
} from '../src/contract/workflow/activities.ts';
import type { LaneKey } from '../src/contract/workflow/ids.ts';
import type { SubmitResult } from '../src/contract/workflow/messages.ts';
import type {
  DeploymentRequest,
  ReleaseInput,
  ReleaseTarget,
} from '../src/contract/workflow/payloads.ts';
import type { RetryPolicy } from '../src/domain/backoff.ts';
import { CAUSES, SlipwayError } from '../src/domain/errors.ts';
import type { ApprovalPolicy } from '../src/domain/gates/facts.ts';
import { decideOrder } from '../src/domain/ordering.ts';
import type { DeploymentKind } from '../src/domain/overtaking.ts';
import type { RecordedService } from '../src/domain/plan/plan-services.ts';
import type { RolloutPolicy } from '../src/domain/rollout.ts';
import { acceptCommit, type AcceptDeps } from './accept-commit.ts';
import { beating } from './heartbeat.ts';
import { readGates, type GateDeps } from './read-gates.ts';
import { createPollHead, type PollDeps } from './poll-head.ts';

/** What the activities beside the server are given; src/main makes it from the adapters. */
export interface ServiceDeps extends AcceptDeps {
  /** The environments of a configured repository, in the order of the configuration. */
  environments: (repository: string) => readonly EnvironmentSettings[];
  deployments: AcceptDeps['deployments'] & DeploymentStore;
  services: {
    readRecorded: (input: {
      repository: string;
      environment: string;
    }) => Promise<RecordedService[]>;
  };
  submitToLane: (request: DeploymentRequest) => Promise<SubmitResult>;
  /** What Temporal runs in a namespace. */
  runningDeployment: (key: LaneKey) => Promise<DeploymentRequest | undefined>;
  gates: GateDeps;
  /** Tells the deployments that wait for an environment that one of its deployments has ended. */
  wakeFollowers: (ended: Pick<OutcomeRecord, 'deploymentId' | 'environment'>) => Promise<void>;
  drift: Pick<ServiceActivities, 'beginDriftLook' | 'recordDrift'>;
  polls: Omit<PollDeps, 'mirror'>;
}

interface EnvironmentSettings extends LaneKey {
  name: string;
  after: readonly string[];
  retry: RetryPolicy;
  rollout: RolloutPolicy;
  onFailure: 'stop' | 'rollback';
  overtakeVerifying: boolean;
  chartRanges: 'hold' | 'follow';
  mode: 'deploy' | 'observe';
  approval?: ApprovalPolicy;
}

interface DeploymentStore {
  createForRun: (input: {
    releaseId: string;
    run: number;
    kind: DeploymentKind;
    title: string;
    author: string;
    committedAt: string;
    targets: readonly ({
      environment: string;
      repository: string;
      mode: 'deploy' | 'observe';
      inputs?: string;
      descendsFrom?: string;
    } & LaneKey)[];
  }) => Promise<
    Pick<ReleaseTarget, 'environment' | 'deploymentId' | 'deploymentNumber' | 'begun'>[]
  >;
  recordPhase: (input: PhaseRecord) => Promise<void>;
  recordOutcome: (input: OutcomeRecord) => Promise<void>;
}

/** The activities beside the server: they write the record and read git. */
export function createServiceActivities(deps: ServiceDeps): ServiceActivities {
  return {
    listPlaces: (input) => {
      const unsure = chosen(deps, input).filter(
        ({ mode, chartRanges }) => mode === 'deploy' && chartRanges === 'hold',
      );
      const places = unsure.map(({ name, cluster, namespace }) => ({
        ...{ environment: name, cluster, namespace },
      }));
      return Promise.resolve(places);
    },

    startRelease: (input) =>
      beating(async (signal) => {
        const { repository, commit, inputs = {} } = input;
        const facts = await readCommit(deps.mirror(repository), commit, signal);
        const settings = chosen(deps, input);
        const descent = await readDescent(deps, input, signal);
        const rows = await deps.deployments.createForRun({
          releaseId: input.releaseId,
          run: input.run,
          kind: input.kind,
          title: facts.title,
          author: facts.author,
          committedAt: facts.committedAt,
          targets: settings.map(({ name, cluster, namespace, mode }) => ({
            ...{ environment: name, repository, cluster, namespace, mode },
            ...(inputs[name] === undefined ? {} : { inputs: inputs[name] }),
            ...descent.get(name),
          })),
        });
        const targets = settings.flatMap(
          ({ name, cluster, namespace, after, ...policies }): ReleaseTarget[] => {
            const row = rows.find(({ environment }) => environment === name);
            if (!row) return [];
            const ids = { ...row, cluster, namespace };
            const { retry, rollout, onFailure, overtakeVerifying, mode, approval } = policies;
            const rules = { retry, rollout, onFailure, overtakeVerifying };
            // What is observed waits for nobody: the other pipeline keeps an order of its own.
            if (mode === 'observe') return [{ ...ids, after: [], ...rules, mode }];
            return [{ ...ids, after: [...after], ...rules, ...(approval ? { approval } : {}) }];
          },
        );
        return { title: facts.title, targets, ...(facts.cause ? { cause: facts.cause } : {}) };
      }),

    submitToLane: async (request) => {
      // The lane remembers only its latest ends; the store remembers all.
      const end = await deps.deployments.findEnd(request.deploymentId);
      return end ? { answer: 'ended', end } : deps.submitToLane(request);
    },

    lookAtDeployment: async ({ deploymentId, ...key }) => {
      // Looked for first: it ends between the two questions, not before them.
      const running = await deps.runningDeployment(key);
      const end = deploymentId && (await deps.deployments.findEnd(deploymentId));
      return { ...(running ? { running } : {}), ...(end ? { end } : {}) };
    },

    orderWaiting: ({ repository, environment, candidates }) =>
      beating(async (signal) => {
        const mirror = deps.mirror(repository);
        const accepted = await deps.acceptedCommits.acceptedCommit(repository, environment);
        const commits = candidates
          .filter(({ kind }) => kind === 'automatic')
          .map(({ commit }) => commit);
        const known = new Set(accepted === undefined ? commits : [accepted, ...commits]);
        const pairs = new Set<string>();
        for (const older of known) {
          for (const newer of known) {
            const isAncestor = older === newer || (await mirror.isAncestor(older, newer, signal));
            if (isAncestor) pairs.add(`${older} ${newer}`);
          }
        }
        return decideOrder(accepted, candidates, (older, newer) => pairs.has(`${older} ${newer}`));
      }),

    acceptCommit: (input) => beating((signal) => acceptCommit(deps, input, signal)),
    readRecorded: (input) => deps.services.readRecorded(input),
    readGates: (input) => beating((signal) => readGates(deps.gates, input, signal)),
    ...deps.drift,
    recordPhase: (input) => deps.deployments.recordPhase(input),
    recordOutcome: async (input) => {
      await deps.deployments.recordOutcome(input);
      // Where that fails it is done again, and the record says the same.
      await deps.wakeFollowers(input);
    },
    pollHead: createPollHead({ mirror: deps.mirror, ...deps.polls }),
  };
}

/** The environments that are asked for, or all. */
function chosen(deps: ServiceDeps, { repository, environments }: ReleaseInput) {
  const all = deps.environments(repository);
  return all.filter(({ name }) => !environments || environments.includes(name));
}

/** The accepted commits of those environments, whose inputs were read, from which this commit descends. */
async function readDescent(
  deps: ServiceDeps,
  { repository, commit, inputs = {} }: Parameters<ServiceActivities['startRelease']>[0],
  signal: AbortSignal,
): Promise<Map<string, { descendsFrom: string }>> {
  const descent = new Map<string, { descendsFrom: string }>();
  for (const name of Object.keys(inputs)) {
    const accepted = await deps.acceptedCommits.acceptedCommit(repository, name);
    if (accepted === undefined) continue;
    const descends = await deps.mirror(repository).isAncestor(accepted, commit, signal);
    if (descends) descent.set(name, { descendsFrom: accepted });
  }
  return descent;
}

/** What the commit says of itself, or why that cannot be read; throws what may pass by itself. */
async function readCommit(mirror: Mirror, commit: string, signal: AbortSignal) {
  try {
    return { ...(await mirror.commit(commit, signal)), cause: undefined };
  } catch (error) {
    if (!(error instanceof SlipwayError) || CAUSES[error.code].kind === 'transient') throw error;
    const cause = { code: error.code, sentence: error.message };
    return { title: '', author: '', committedAt: new Date().toISOString(), cause };
  }
}
