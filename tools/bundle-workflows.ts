/** Bundles the workflows for the workers of these sources, which then start without webpack. */
import { buildWorkflowBundle } from '../src/adapters/temporal/workflow-bundle.ts';

console.log(await buildWorkflowBundle());
