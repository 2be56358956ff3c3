import type { RetryPolicy } from '../../domain/backoff.ts';
import type { CauseReport } from '../../domain/cause.ts';
import type { CauseCode } from '../../domain/errors.ts';
import type { DeploymentKind } from '../../domain/overtaking.ts';
import type { ApprovalPolicy } from '../../domain/gates/facts.ts';
import type { EndPhase } from '../../domain/phases.ts';
import type { RolloutPolicy } from '../../domain/rollout.ts';
import type { LaneKey } from './ids.ts';

/** What is stored in histories. Only ever added to; holds references, never logs or secrets. */

export interface ReleaseInput {
  releaseId: string;
  /** The short number for people. */
  releaseNumber: number;
  repository: string;
  /** Full commit id, 40 hex digits. */
  commit: string;
  /** 0 for the merge, counted up by each rerun. */
  run: number;
  kind: DeploymentKind;
  /** Only these environments; absent means all. */
  environments?: string[];
  /** Plan every service, also what looks unchanged. */
  force: boolean;
}

/** Where the store is with a deployment whose workflow was lost: the next one counts on from there. */
interface Begun {
  attempt: number;
  order: number;
}

/** One environment that takes part in a release. */
export interface ReleaseTarget extends LaneKey {
  environment: string;
  after: string[];
  deploymentId: string;
  deploymentNumber: number;
  begun?: Begun;
  retry: RetryPolicy;
  rollout: RolloutPolicy;
  onFailure?: 'stop' | 'rollback';
  overtakeVerifying?: boolean;
  /** Absent: deploys. */
  mode?: 'observe';
  /** Absent: nobody needs to approve. */
  approval?: ApprovalPolicy;
}

export interface ReleaseGraph {
  /** First line of the commit's message. */
  title: string;
  targets: ReleaseTarget[];
  /** Set when the commit cannot be read from git, and asking again would not help. */
  cause?: CauseReport & { code: CauseCode };
}

/** The request of a release to a lane; the deployment's id is also the request's. */
export interface DeploymentRequest extends LaneKey {
  deploymentId: string;
  deploymentNumber: number;
  releaseId: string;
  releaseNumber: number;
  /** Where the lane reports the end. */
  releaseWorkflowId: string;
  repository: string;
  environment: string;
  commit: string;
  title: string;
  kind: DeploymentKind;
  force: boolean;
  begun?: Begun;
  retry: RetryPolicy;
  rollout: RolloutPolicy;
  /** Whether what a failed deployment changed is taken back; absent means not. */
  onFailure?: 'stop' | 'rollback';
  /** Whether a newer commit takes its place also while it is verified; absent means not. */
  overtakeVerifying?: boolean;
  /** `observe`: plans and applies nothing, then looks what another pipeline did; absent means it deploys. */
  mode?: 'observe';
  /** As it was when the release started: a change of the configuration approves nothing. */
  approval?: ApprovalPolicy;
}

/** How a deployment ended. */
export interface DeploymentEnd {
  deploymentId: string;
  environment: string;
  phase: EndPhase;
  cause?: CauseReport;
}

/** An environment, and where it is. */
export interface EnvironmentRef extends LaneKey {
  repository: string;
  environment: string;
}

/** What of a deployment the activities of its cluster need. */
export interface DeploymentRef extends EnvironmentRef {
  deploymentId: string;
  commit: string;
}

/** Services of an ended deployment that sleep by a schedule. */
export interface WakeInput {
  deployment: DeploymentRef;
  /** In whose log the look at them is noted. */
  attempt: number;
  services: string[];
  rollout: RolloutPolicy;
  /** When it is given up, ISO 8601. */
  until: string;
}

export interface LaneState {
  waiting: DeploymentRequest[];
  /** Ends of late, so that a repeated request gets its answer. */
  ends: DeploymentEnd[];
}

export interface PollInput {
  repository: string;
}

/** What a look at a branch found: its head has a release, waits for one, is parked, or was stored to get one. */
export type PollResult =
  | { answer: 'released' | 'waiting' | 'parked' | 'stored'; commit: string }
  | { answer: 'unreadable'; cause: CauseReport }
  | { answer: 'not-configured' };
