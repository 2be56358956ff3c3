import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { createServerClient } from '../../src/adapters/server/client.ts';
import { Outbox } from '../../src/adapters/server/outbox.ts';
import { createServerLogSink, createServerPlanSink } from '../../src/adapters/server/sinks.ts';
import { startTestApp } from '../support/app.ts';
import { startFaultyLine } from '../support/faulty-line.ts';
import { idOf, logLines, storeRelease } from '../support/records.ts';
import { isLong, sized } from '../support/size.ts';
import { until } from '../support/until.ts';

/** What a talkative apply says in ten minutes; for each commit in less time. */
const PARTS = sized({ commit: 30, long: 600 });
const LINES = 20;

test('a server that is away for ten minutes of an apply gets its plan and every line, in order', async () => {
  const app = await startTestApp();
  onTestFinished(() => app.close());
  const line = await startFaultyLine(await app.app.listen({ host: '127.0.0.1', port: 0 }));
  onTestFinished(() => line.close());
  const folder = await mkdtemp(join(tmpdir(), 'slipway-away-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const { store } = app.database;
  const deploymentId = idOf((await storeRelease(store)).deployments, 'cs-dev');
  const { token } = await store.tokens.create({ name: 'worker', cluster: 'notprod' });
  const troubles: string[] = [];
  const outbox = await Outbox.open({
    ...{ folder, send: createServerClient({ url: line.url, token }) },
    onTrouble: (trouble) => troubles.push(trouble),
  });

  await line.cut();
  const diff = { services: [], truncated: { resources: 0, fields: 0, lines: 0 } };
  await createServerPlanSink(outbox).store({ deploymentId, digest: 'abc', diff });
  const logs = createServerLogSink(outbox);
  for (let part = 0; part < PARTS; part += 1) {
    const first = part * LINES;
    const lines = Array.from({ length: LINES }, (_, index) => `line ${first + index}`);
    await logs.append(logLines(deploymentId, lines, { stream: 'apply', first }));
    if (isLong()) await delay(1_000);
  }
  expect(await readdir(folder)).toHaveLength(PARTS + 1);
  await line.restore();
  await until(async () => (await readdir(folder)).length === 0, { timeoutMs: 90_000 });
  await outbox.close(0);

  const { items } = await store.logs.read({ deploymentId, limit: PARTS * LINES + 1 });
  expect(items.map(({ text }) => text)).toEqual(
    Array.from({ length: PARTS * LINES }, (_, index) => `line ${index}`),
  );
  const plans = await app.database.db
    .selectFrom('plan_diffs')
    .select('digest')
    .where('deployment_id', '=', deploymentId)
    .execute();
  expect(plans).toEqual([{ digest: 'abc' }]);
  // Nobody is told again and again.
  expect(troubles).toEqual(['the server is away']);
});
