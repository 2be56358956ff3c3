import type { CauseReport } from '../../domain/cause.ts';
import type { PlanDiff } from '../../domain/diff/plan-diff.ts';
import type { ApprovalPolicy, Waiting } from '../../domain/gates/facts.ts';
import type { DriftReport } from '../../domain/drift/report.ts';
import type { HelmMark } from '../../domain/observe/helm-marks.ts';
import type { Observation } from '../../domain/observe/agreement.ts';
import type { Candidate, OrderDecision } from '../../domain/ordering.ts';
import type { DeploymentKind } from '../../domain/overtaking.ts';
import type { DeploymentPhase, EndPhase } from '../../domain/phases.ts';
import type { RolloutPolicy } from '../../domain/rollout.ts';
import type { RecordedService } from '../../domain/plan/plan-services.ts';
import type { ServiceRecord, UntouchedService } from '../../domain/plan/service-records.ts';
import type { PlannedService, RolloutJudgement } from '../../domain/services.ts';
import type { LaneKey } from './ids.ts';
import type { SubmitResult } from './messages.ts';
import type {
  DeploymentEnd,
  DeploymentRef,
  DeploymentRequest,
  EnvironmentRef,
  ReleaseGraph,
  ReleaseInput,
  PollInput,
  PollResult,
} from './payloads.ts';

/** Activities on the queue of the service: they reach PostgreSQL, Temporal and git. */
export interface ServiceActivities {
  /** The environments that only take part when their inputs changed; the others do in any case. */
  listPlaces: (input: ReleaseInput) => Promise<ReleasePlace[]>;
  /** Writes the release's deployments and answers which environments take part. */
  startRelease: (input: StartInput) => Promise<ReleaseGraph>;
  submitToLane: (request: DeploymentRequest) => Promise<SubmitResult>;
  /** What runs in a namespace, and how the deployment that is named ended, if it did. */
  lookAtDeployment: (input: LookInput) => Promise<LookResult>;
  /** Orders what waits in a lane by git ancestry. */
  orderWaiting: (input: OrderInput) => Promise<OrderDecision>;
  /**
   * Notes that the environment accepted this commit, from which later ones must descend; unless the
   * deployment has ended already, and then answers how. What a person asked for may be older: then the
   * environment is held, or the next merge would undo it.
   */
  acceptCommit: (input: AcceptInput) => Promise<DeploymentEnd | undefined>;
  /** What is remembered of the services of an environment. */
  readRecorded: (input: EnvironmentInput) => Promise<RecordedService[]>;
  /** Whether a deployment may go on, and what it waits for otherwise. */
  readGates: (input: GatesInput) => Promise<GatesAnswer>;
  /** What a look for drift compares with; or that now is no time for one, since a deployment changes things. */
  beginDriftLook: (input: EnvironmentInput) => Promise<DriftLook>;
  /** Keeps what a look found, unless a deployment changed things meanwhile. */
  recordDrift: (input: DriftRecord) => Promise<void>;
  recordPhase: (input: PhaseRecord) => Promise<void>;
  recordOutcome: (input: OutcomeRecord) => Promise<void>;
  /** Stores the head of a branch in the inbox unless it is known. */
  pollHead: (input: PollInput) => Promise<PollResult>;
}

/** Activities on the queue of a cluster: they hold that cluster's credentials. */
export interface ClusterActivities {
  /**
   * Keyed digest over what the commit itself says of an environment; absent where equal digests would not
   * prove equal inputs. `deploymentId` is only a name here.
   */
  readInputs: (place: DeploymentRef) => Promise<{ inputs?: string }>;
  /** Fetches the commit and refuses a tree that is not accepted. */
  checkout: (deployment: DeploymentRef) => Promise<CheckoutResult>;
  plan: (input: PlanInput) => Promise<PlanResult>;
  /** What Helm's releases are now, to tell later whether somebody changed them. */
  readReleases: (deployment: DeploymentRef) => Promise<HelmMark[]>;
  /** Before each attempt: waits for who may live, ends what is left of the dead, heals. */
  inspect: (input: InspectInput) => Promise<InspectResult>;
  /** After the last attempt: does as `inspect`, and gives back the Lease that a dead holder left. */
  heal: (input: HealInput) => Promise<HealResult>;
  /** Runs helmfile for the planned services; returns when it said success. */
  apply: (input: ApplyInput) => Promise<ApplyResult>;
  /** Replaces the pods of workloads, once for each attempt however often it is asked. */
  restart: (input: RestartInput) => Promise<void>;
  /** Takes back what the deployment changed; names the services that it took back. */
  rollBack: (input: RollBackInput) => Promise<RollBackResult>;
  /** Compares an environment with what was left there; changes nothing. */
  lookForDrift: (input: LookForDriftInput) => Promise<DriftReport>;
  /** Watches beside the apply, or after it until healthy, failed or out of time. */
  watchRollout: (input: WatchInput) => Promise<RolloutJudgement>;
}

export interface ReleasePlace extends LaneKey {
  environment: string;
}

interface StartInput extends ReleaseInput {
  /** Digests of what the commit says, by environment. */
  inputs?: Record<string, string>;
}

interface LookInput extends LaneKey {
  deploymentId?: string;
}

interface LookResult {
  running?: DeploymentRequest;
  end?: DeploymentEnd;
}

interface OrderInput {
  repository: string;
  environment: string;
  candidates: Candidate[];
}

interface EnvironmentInput {
  repository: string;
  environment: string;
}

interface AcceptInput extends EnvironmentInput {
  commit: string;
  /** The deployment that is about to start. */
  deploymentId: string;
  releaseNumber: number;
  kind: DeploymentKind;
}

export interface GatesInput extends EnvironmentInput {
  deploymentId: string;
  cluster: string;
  kind: DeploymentRequest['kind'];
  /** The workflow's time, ISO 8601: all that depends on time is judged by it. */
  now: string;
  /** Asked for alone, by a deployment that is under way. */
  only?: 'worker';
  /** An attempt has applied something already: what it follows is asked for no more. */
  applied?: true;
  /** Since when no worker was there, as an earlier answer said. */
  absentSince?: string;
  /** Asked for once there is a plan, where somebody must approve it. */
  approval?: { policy: ApprovalPolicy; plan: { digest: string; since: string } };
}

export type GatesAnswer =
  { answer: 'open' } | { answer: 'wait'; waiting: Waiting } | { answer: 'end'; cause: CauseReport };

export type DriftLook =
  | { look: false; because: string }
  /** Since when nothing must have changed for what is found to count, ISO 8601. */
  | { look: true; since: string; recorded: RecordedService[] };

interface LookForDriftInput {
  environment: EnvironmentRef;
  recorded: RecordedService[];
}

export interface DriftRecord extends EnvironmentInput {
  since: string;
  /** What was found, or why nobody could look. */
  found: { report: DriftReport } | { unable: CauseReport };
}

export interface PhaseRecord {
  deploymentId: string;
  phase: Exclude<DeploymentPhase, EndPhase>;
  /** 0 before the first attempt. */
  attempt: number;
  /** One sentence for people: what it does or waits for. */
  note: string;
  cause?: CauseReport;
  /** What the plan found; written once. */
  plan?: PlanResult;
  /** When the next attempt starts, ISO 8601. */
  retryAt?: string;
  /** What it waits for, in phase `waiting`. */
  waiting?: Waiting;
  /** Counted up by the deployment: of two records the later one stands. Absent in those of others. */
  order?: number;
}

export interface OutcomeRecord extends DeploymentEnd {
  attempt: number;
  services?: PlannedService[];
  /** What is to be remembered of services; instead of `services`. */
  records?: ServiceRecord[];
  /** What another pipeline did, where this one only observed. */
  observation?: Observation;
}

interface CheckoutResult {
  title: string;
  author: string;
  committedAt: string;
}

interface PlanInput {
  deployment: DeploymentRef;
  force: boolean;
  /** A person asked for it. */
  manual?: boolean;
  /** Looks at what another pipeline left: its diff is kept apart from that of the plan before. */
  afterwards?: true;
  recorded?: RecordedService[];
}

export interface PlanResult {
  /** Keyed digest over everything that the apply reads. */
  digest: string;
  /** What the apply changes. */
  services: PlannedService[];
  /** Runs already what the commit says: only recorded. */
  adopted?: PlannedService[];
  /** What is left alone though there is something to say about it. */
  untouched?: UntouchedService[];
  /** Whose input differs each time it is read: no part of the digest. */
  unstable?: string[];
  /** How many services are as their last success left them. */
  unchanged?: number;
  /** Workloads that are restarted when the apply is verified; absent where there are none. */
  restart?: string[];
  /** What it changes. Workers hand it to the server by itself; only histories of before hold it. */
  diff?: PlanDiff;
}

interface InspectInput {
  deployment: DeploymentRef;
  /** Names of the services that the attempt is going to change. */
  services: string[];
}

interface InspectResult {
  /** The holder whose Lease may be taken, because it is proved dead; empty when nobody held it. */
  deadHolder: string;
  /** What was healed, in sentences. */
  healed: string[];
  /** Services whose newest revision an attempt of this deployment made, and helm has brought to its end. */
  applied?: { service: string; attempt: number }[];
}

interface HealInput extends InspectInput {
  attempt: number;
}

type HealResult = Pick<InspectResult, 'healed' | 'applied'>;

interface ApplyInput {
  deployment: DeploymentRef;
  attempt: number;
  plan: PlanResult;
  deadHolder: string;
}

interface ApplyResult {
  durationMs: number;
}

interface RestartInput {
  deployment: DeploymentRef;
  attempt: number;
  /** Such as `deployment/frontend`. */
  workloads: string[];
}

interface RollBackInput {
  deployment: DeploymentRef;
  attempt: number;
  /** With the revisions that ran before the deployment's first attempt. */
  services: PlannedService[];
  recorded?: RecordedService[];
  deadHolder?: string;
}

export interface RollBackResult {
  /** In words, such as `example-api to revision 3`. */
  takenBack: string[];
  /** The same for programs: the revision that Helm returned to, and the one that it made for that. */
  returned?: { service: string; to: number; helmRevision: number }[];
  /** Helm cannot return these: the commit of their last success is to be applied again. */
  applyAgain?: { service: string; commit: string }[];
  /** What stays as it is, with why, in words. */
  left?: string[];
}

export interface WatchInput {
  deployment: DeploymentRef;
  attempt: number;
  services: PlannedService[];
  /** Judges these workloads, which were restarted, instead of the services. */
  restarted?: string[];
  /** Judges what a rollback left; the services carry the revisions that it made. */
  takenBack?: true;
  /**
   * Judges what a deployment left asleep, by the revisions that the services carry; those that somebody
   * deployed since are left out.
   */
  woken?: true;
  rollout: RolloutPolicy;
  /** `beside`: end only on definite failure. `after`: until healthy, failed or timed out. `once`: one look. */
  mode: 'beside' | 'after' | 'once';
}
