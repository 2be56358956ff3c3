/**
 * Records the histories that `npm test` replays anew: plays every story on a real Temporal and keeps what
 * its workflows did. Only for workflows that run nowhere yet: see docs/upgrading.md.
 */
import { emptyHistories, keepHistory } from '../test/support/histories/files.ts';
import { play, workflowIdOf, type Kept, type Story } from '../test/support/histories/story.ts';
import { STORIES } from '../test/support/histories/stories.ts';
import { startDevServer } from '../test/support/temporal.ts';

// A lane continues as new when Temporal suggests it, which by default takes thousands of events.
const environment = await startDevServer({
  dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 60 },
});
try {
  await emptyHistories();
  for (const story of STORIES) {
    await play(environment, story);
    for (const kind of story.keep ?? ['deployment']) await keepRuns(story, kind);
    console.log(`recorded ${story.name}`);
  }
} finally {
  await environment.teardown();
}

async function keepRuns(story: Story, kind: Kept): Promise<void> {
  const workflowId = workflowIdOf(story, kind);
  const runs = [];
  for await (const { runId, startTime } of environment.client.workflow.list({
    query: `WorkflowId = '${workflowId}'`,
  })) {
    runs.push({ runId, startTime });
  }
  runs.sort((a, b) => a.startTime.getTime() - b.startTime.getTime());
  for (const [at, { runId }] of runs.entries()) {
    const number = runs.length > 1 ? `-${at + 1}` : '';
    const name = `${kind}-${story.name}${number}`;
    await keepHistory(environment, { name, workflowId, runId });
  }
}
