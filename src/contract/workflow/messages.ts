import type { DeploymentKind } from '../../domain/overtaking.ts';
import type { DeploymentEnd, DeploymentRequest, LaneState } from './payloads.ts';

/** Names and payloads of what is sent to running workflows. */

/** Update on a lane: takes a deployment into the lane's queue. */
export const SUBMIT_UPDATE = 'submit';
export interface SubmitInput {
  request: DeploymentRequest;
}
export type SubmitResult =
  | { answer: 'queued' }
  /** In the lane already, waiting or running. */
  | { answer: 'known' }
  | { answer: 'ended'; end: DeploymentEnd };

/** Signal on a lane: cancels one deployment, waiting or running. */
export const CANCEL_DEPLOYMENT_SIGNAL = 'cancelDeployment';
export interface CancelDeploymentInput {
  deploymentId: string;
  by: string;
}

/** Query on a lane, for operators: what it runs and what waits. */
export const LANE_QUERY = 'lane';
export interface LaneView extends LaneState {
  running?: string;
}

/** Signal from a lane to a release. */
export const DEPLOYMENT_ENDED_SIGNAL = 'deploymentEnded';

/** Signal on a release: cancels all its deployments, or one. */
export const CANCEL_RELEASE_SIGNAL = 'cancelRelease';
export interface CancelReleaseInput {
  by: string;
  /** Only this one; absent means all. */
  deploymentId?: string;
}

/** Signal on a deployment: a person changed a hold, a stop, a freeze or an approval. */
export const GATES_CHANGED_SIGNAL = 'gatesChanged';

/** Signal from a lane to the deployment that it runs. */
export const CANCEL_SIGNAL = 'cancel';
export interface CancelInput {
  by: string;
}

/** Signal from a lane to the deployment that it runs, which gives way as soon as it may. */
export const SUPERSEDE_SIGNAL = 'supersede';
export interface SupersedeInput {
  /** What takes the place of the running deployment. */
  deploymentId: string;
  releaseNumber: number;
  commit: string;
  kind: DeploymentKind;
}
