import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { V1ConfigMap, V1ObjectMeta } from '@kubernetes/client-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openKubernetes } from '../../src/adapters/kubernetes/client.ts';
import { run } from '../../src/adapters/process/run.ts';
import type { PlanResult } from '../../src/contract/workflow/activities.ts';
import { startKubernetes, type Kubernetes } from '../../src/main/dev/kubernetes.ts';
import { createTestParts, type TestParts } from '../support/part-context.ts';
import { startChartServer, type ChartServer } from './chart-server.ts';
import { drawMutations } from './draw.ts';
import type { Mutation } from './edits.ts';
import { FullRendering, type Rendering } from './full-rendering.ts';
import { judge, type Verdict } from './judge.ts';
import { PlannerUnderTest } from './planner.ts';
import { createRandom } from './random.ts';
import { ENVIRONMENT, firstState, LOOKED_UP, type State } from './repository.ts';

// The same every time, so that a change is judged by what it changed; other seeds are tried by hand.
const SEED = Number(process.env.SLIPWAY_ORACLE_SEED ?? 1);
const MUTATIONS = Number(process.env.SLIPWAY_ORACLE_MUTATIONS ?? 200);
/** A planner that is wrong everywhere need not prove it everywhere. */
const MISSES_MAX = 5;

let parts: TestParts;
let kubernetes: Kubernetes;
let charts: ChartServer;
let rendering: FullRendering;
let planner: PlannerUnderTest;

beforeAll(async () => {
  parts = await createTestParts();
  const { context, tools } = parts;
  const folders = ['charts', 'planner', 'rendering'].map((name) => join(context.folder, name));
  for (const folder of folders) await mkdir(folder);
  const [chartFolder = '', plannerFolder = '', renderingFolder = ''] = folders;
  [kubernetes, charts] = await Promise.all([
    startKubernetes(context),
    startChartServer(chartFolder, (args) => run(tools.helm, args, { env: context.env })),
  ]);
  const { server, token, caFile, kubeconfigPath } = kubernetes;
  const certificateAuthority = await readFile(caFile, 'utf8');
  const access = { server, token, certificateAuthority, namespace: ENVIRONMENT };
  await kubernetes.createNamespaces([ENVIRONMENT]);
  await openKubernetes(access).core.createNamespacedConfigMap({
    namespace: ENVIRONMENT,
    body: Object.assign(new V1ConfigMap(), {
      metadata: Object.assign(new V1ObjectMeta(), { name: LOOKED_UP.name }),
      data: LOOKED_UP.data,
    }),
  });
  const place = { tools, chartsUrl: charts.url };
  rendering = new FullRendering({ ...place, folder: renderingFolder, kubeconfigPath });
  planner = new PlannerUnderTest({ ...place, folder: plannerFolder, access });
});
afterAll(async () => {
  await Promise.all([kubernetes.stop(), charts.stop()]);
  await parts.close();
});

interface Totals {
  mutations: number;
  states: number;
  refused: number;
  judged: number;
  comparedInVain: number;
  notUnderstood: number;
  appliedInVain: number;
  misses: string[];
}

test(`the plans of ${MUTATIONS} mutations miss nothing that full rendering sees`, async () => {
  const started = performance.now();
  const random = createRandom(SEED);
  let state = firstState();
  const live = new Map<string, string>();
  const totals: Totals = {
    ...{ mutations: 0, states: 0, refused: 0, judged: 0 },
    ...{ comparedInVain: 0, notUnderstood: 0, appliedInVain: 0, misses: [] },
  };
  const first = await look(state);
  if (!('plan' in first)) throw new Error(`the first state is refused: ${first.refusal}`);
  settle(first, live);
  let before: State | undefined;
  while (totals.mutations < MUTATIONS && totals.misses.length < MISSES_MAX) {
    const room = MUTATIONS - totals.mutations;
    const { mutations, next } = drawMutations(state, before, random, room);
    const seen = await look(next);
    if (!('plan' in seen)) {
      totals.refused += mutations.length;
      if (seen.by !== 'both') {
        const what =
          seen.by === 'planner' ? 'renders, but is not planned' : 'plans, but does not render';
        totals.misses.push(explain(mutations, `${what}: ${seen.refusal}`));
      }
      continue;
    }
    const verdict = judge(seen.plan, live, seen.services);
    totals.mutations += mutations.length;
    totals.states += 1;
    totals.judged += verdict.judged;
    totals.comparedInVain += verdict.comparedInVain.length;
    totals.notUnderstood += verdict.notUnderstood.length;
    totals.appliedInVain += verdict.appliedInVain.length;
    for (const name of verdict.missed) {
      const manifests = `runs:\n${live.get(name) ?? '-'}\nrenders:\n${seen.services.get(name) ?? '-'}`;
      totals.misses.push(explain(mutations, `misses ${name}\n${manifests}`));
    }
    note(mutations, verdict);
    settle(seen, live);
    before = state;
    state = next;
  }
  print(closingLine(totals, performance.now() - started));
  expect(totals.misses.join('\n\n')).toBe('');
  // What no fingerprint can settle is compared each time, by design; it is told apart.
  expect(totals.comparedInVain / totals.judged).toBeLessThanOrEqual(0.05);
}, 3_600_000);

type Seen =
  | { plan: PlanResult; services: Rendering; texts: Rendering }
  | { refusal: string; by: 'both' | 'planner' | 'rendering' };

/** Renders and plans one state, side by side. */
async function look(state: State): Promise<Seen> {
  charts.serve(state.published);
  const [rendered, planned] = await Promise.allSettled([
    rendering.render(state),
    planner.plan(state),
  ]);
  if (rendered.status === 'rejected') {
    const by = planned.status === 'rejected' ? 'both' : 'rendering';
    return { refusal: String(rendered.reason), by };
  }
  if (planned.status === 'rejected') return { refusal: String(planned.reason), by: 'planner' };
  return { plan: planned.value, ...rendered.value };
}

/** The plan is applied, so that the state is what runs. */
function settle(
  { plan, services, texts }: Extract<Seen, { plan: PlanResult }>,
  live: Map<string, string>,
): void {
  planner.apply(plan, texts);
  for (const { name, action } of plan.services) if (action === 'uninstall') live.delete(name);
  for (const [name, manifest] of services) live.set(name, manifest);
}

function explain(mutations: readonly Mutation[], what: string): string {
  const again = `SLIPWAY_ORACLE_SEED=${SEED} SLIPWAY_ORACLE_MUTATIONS=${MUTATIONS} npm run test:oracle`;
  return `${what}\nafter ${mutations.map((mutation) => mutation.what).join('\n  and ')}\nagain: ${again}`;
}

/** What every mutation led to, for who looks for the reason of a number. */
function note(mutations: readonly Mutation[], verdict: Verdict): void {
  if (process.env.SLIPWAY_ORACLE_VERBOSE === undefined) return;
  const { comparedInVain, appliedInVain } = verdict;
  for (const { what } of mutations) print(`- ${what}`);
  if (comparedInVain.length > 0) print(`  compared in vain: ${comparedInVain.join(', ')}`);
  if (appliedInVain.length > 0) print(`  applied in vain: ${appliedInVain.join(', ')}`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function closingLine(totals: Totals, wallMs: number): string {
  const { mutations, states, refused, judged, misses } = totals;
  const { comparedInVain, notUnderstood, appliedInVain } = totals;
  const share = (part: number) => `${part} (${((100 * part) / judged).toFixed(2)} %)`;
  return [
    `oracle: seed ${SEED}, ${mutations} mutations in ${states} states (${refused} more did not render)`,
    `${judged} services judged, ${misses.length} missed`,
    `planned in vain by fingerprint ${share(comparedInVain)}, because none settles it ${share(notUnderstood)}, upgraded in vain ${share(appliedInVain)}`,
    `${(wallMs / 1_000).toFixed(0)} s`,
  ].join(', ');
}
