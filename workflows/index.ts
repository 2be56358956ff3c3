export { deploymentWorkflow } from './deployment.ts';
export { driftWorkflow } from './drift.ts';
export { laneWorkflow } from './lane.ts';
export { pollWorkflow } from './poll.ts';
export { releaseWorkflow } from './release.ts';
export { wakeWorkflow } from './wake.ts';
