import { Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadWorkflowBundle } from '../../src/adapters/temporal/workflow-bundle.ts';
import '../support/temporal.ts';
import { copyWorkflows } from '../support/histories/changed-workflows.ts';
import { keptHistories, type KeptHistory } from '../support/histories/files.ts';

const histories = keptHistories();
let copy: Awaited<ReturnType<typeof copyWorkflows>>;
beforeAll(async () => {
  copy = await copyWorkflows();
});
afterAll(() => copy.remove());

test('what every kept history did, the workflows of now would do again', async () => {
  const broken = await replay(await loadWorkflowBundle(), histories);
  expect(broken, REMEDY).toEqual([]);
});

test('a change of what a workflow commands is found, by name, and allowed once it is patched', async () => {
  const kept = histories.filter(({ name }) => /^(deployment|release)-succeeded$/.test(name));
  expect(await copy.loadBundle()).toHaveProperty('codePath');
  await copy.addPause();
  const changed = await copy.loadBundle();
  // What was built before the change must not be taken.
  expect(changed).toHaveProperty('code');
  const broken = await replay(changed, kept);
  expect(broken).toEqual([expect.stringMatching(/^deployment-succeeded: .*nondeterminism/)]);

  await copy.patchPause();
  expect(await replay(await copy.loadBundle(), kept)).toEqual([]);
});

const REMEDY =
  'Running workflows would stick. Guard the change with `patched`, as docs/upgrading.md says; ' +
  'where the workflows run nowhere yet, `npm run histories` records them anew.';

/** The histories that these workflows would not go on with, each with why. */
async function replay(
  workflowBundle: WorkflowBundleOption,
  kept: readonly KeptHistory[],
): Promise<string[]> {
  const broken: string[] = [];
  for await (const { runId, error } of Worker.runReplayHistories({ workflowBundle }, kept)) {
    const name = kept.find((one) => one.runId === runId)?.name ?? runId;
    if (error) broken.push(`${name}: ${error.message}`);
  }
  return broken;
}
