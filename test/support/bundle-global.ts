import { buildWorkflowBundle } from '../../src/adapters/temporal/workflow-bundle.ts';

/** Bundles the workflows once for the whole run. */
export default async function setup(): Promise<void> {
  await buildWorkflowBundle();
}
