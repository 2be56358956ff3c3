export { deploymentWorkflow } from './deployment.ts';
export { laneWorkflow } from './lane.ts';
export { releaseWorkflow } from './release.ts';
