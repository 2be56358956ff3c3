/**
 * `npm run bench:plan`: what a merge costs, against bare helmfile on the same cluster. Ours is plan,
 * inspect, apply and verification by the activities that a worker runs, once the commit is fetched;
 * `--json` prints the rows alone. `--services 17,100` and `--rounds 5` choose the size. `--memory`
 * prints instead how much memory a thousand plans take.
 *
 * The rounds of both are interleaved, so that whatever else the machine does meets both alike.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { run } from '../src/adapters/process/run.ts';
import { ReleaseLab, type ReleasedEnvironment } from '../test/support/released-environment.ts';
import { measureMemory } from './plan-memory.ts';
import { generatedRepository, serviceNames, versionsFile } from './generated-repository.ts';

interface Row {
  case: 'unchanged' | 'one changed' | 'all changed';
  services: number;
  oursSeconds: number;
  /** `helmfile sync` of all services. */
  syncAllSeconds: number;
  /** `helmfile sync` of just the changed ones; null where nothing changed. */
  syncChangedSeconds: number | null;
}

/** Helmfile as a person runs it, in a namespace of its own. */
class BareHelmfile {
  readonly #name: string;
  readonly #tree: string;

  private constructor(name: string, tree: string) {
    this.#name = name;
    this.#tree = tree;
  }

  static async make(name: string, services: number): Promise<BareHelmfile> {
    await lab.kubernetes.createNamespaces([name]);
    const bare = new BareHelmfile(name, join(lab.parts.context.folder, name, 'tree'));
    await bare.write(generatedRepository(name, services));
    return bare;
  }

  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(this.#tree, path)), { recursive: true });
      await writeFile(join(this.#tree, path), text);
    }
  }

  /** Syncs one service, or all. */
  async sync(service?: string): Promise<void> {
    const { tools } = lab.parts;
    const where = ['--environment', this.#name, '--namespace', this.#name];
    const selector = service === undefined ? [] : ['--selector', `name=${service}`];
    const args = ['--helm-binary', tools.helm, ...where, ...selector, 'sync'];
    const result = await run(tools.helmfile, args, {
      cwd: this.#tree,
      env: {
        PATH: process.env['PATH'] ?? '/usr/bin:/bin',
        HOME: dirname(this.#tree),
        KUBECONFIG: lab.kubernetes.kubeconfigPath,
        CHART_REPOSITORY_URL: lab.charts.url,
        HELMFILE_UPGRADE_NOTICE_DISABLED: '1',
      },
    });
    if (result.exitCode !== 0) throw new Error(`helmfile sync: ${result.stderr}`);
  }
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    services: { type: 'string', default: '17,100' },
    rounds: { type: 'string', default: '5' },
    memory: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const lab = await ReleaseLab.start();
const rows: Row[] = [];
try {
  if (values.memory) await measureMemory(lab);
  else
    for (const services of values.services.split(','))
      rows.push(...(await measure(Number(services))));
} finally {
  await lab.stop();
}
if (!values.memory) {
  process.stdout.write(values.json ? `${JSON.stringify({ rows })}\n` : table(rows));
}

async function measure(services: number): Promise<Row[]> {
  const names = serviceNames(services);
  const place = `ours-${services}`;
  const ours = await lab.environment(place, generatedRepository(place, services));
  const bare = await BareHelmfile.make(`bare-${services}`, services);
  await Promise.all([released(ours, 'succeeded', services), bare.sync()]);

  const times = {
    unchanged: { ours: [] as number[], all: [] as number[] },
    one: { ours: [] as number[], all: [] as number[], changed: [] as number[] },
    all: { ours: [] as number[], all: [] as number[] },
  };
  const [first = ''] = names;
  for (let round = 1; round <= rounds; round += 1) {
    // A merge, but not of anything that this environment reads: nothing can be remembered of it.
    await ours.push({ 'README.md': `Round ${round}\n` });
    await ours.checkOut();
    times.unchanged.ours.push(await seconds(() => released(ours, 'unchanged', 0)));
    // Helm upgrades every service of a sync, whether it changed or not.
    const all = await seconds(() => bare.sync());
    times.unchanged.all.push(all);
    times.one.all.push(all);
    progress(services, round, 'unchanged', times.unchanged);

    const one = {
      'versions.yaml': versionsFile(names, `${round}.0.0`, { [first]: `${round}.1.0` }),
    };
    await Promise.all([ours.push(one), bare.write(one)]);
    await ours.checkOut();
    times.one.ours.push(await seconds(() => released(ours, 'succeeded', 1)));
    times.one.changed.push(await seconds(() => bare.sync(first)));
    progress(services, round, 'one changed', times.one);

    const every = { 'versions.yaml': versionsFile(names, `${round + 1}.0.0`) };
    await Promise.all([ours.push(every), bare.write(every)]);
    await ours.checkOut();
    times.all.ours.push(await seconds(() => released(ours, 'succeeded', services)));
    times.all.all.push(await seconds(() => bare.sync()));
    progress(services, round, 'all changed', times.all);
  }
  const row = (name: Row['case'], ours: number[], all: number[], changed: number[]): Row => ({
    ...{ case: name, services, oursSeconds: median(ours), syncAllSeconds: median(all) },
    syncChangedSeconds: changed.length > 0 ? median(changed) : null,
  });
  return [
    row('unchanged', times.unchanged.ours, times.unchanged.all, []),
    row('one changed', times.one.ours, times.one.all, times.one.changed),
    row('all changed', times.all.ours, times.all.all, times.all.all),
  ];
}

/** Releases the newest commit; throws when it did anything but what was expected. */
async function released(
  environment: ReleasedEnvironment,
  phase: 'succeeded' | 'unchanged',
  planned: number,
): Promise<void> {
  const { end, plan, log } = await environment.release();
  if (end.phase === phase && plan.services.length === planned) return;
  throw new Error(`${end.phase}, ${plan.services.length} planned\n${log.join('\n')}`);
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1_000;
}

function median(times: readonly number[]): number {
  const middle = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
  return Number(middle.toFixed(3));
}

function progress(
  services: number,
  round: number,
  name: string,
  times: Readonly<Record<string, readonly number[]>>,
): void {
  const last = Object.entries(times).map(
    ([who, all]) => `${who} ${all.at(-1)?.toFixed(2) ?? ''} s`,
  );
  process.stderr.write(`${services} services, round ${round}, ${name}: ${last.join(', ')}\n`);
}

function table(all: readonly Row[]): string {
  const cells = all.map((row) => [
    ...[String(row.services), row.case, row.oursSeconds.toFixed(2)],
    ...[row.syncChangedSeconds?.toFixed(2) ?? '-', row.syncAllSeconds.toFixed(2)],
    `${(row.syncAllSeconds / row.oursSeconds).toFixed(1)} ×`,
  ]);
  const head = ['SERVICES', 'CASE', 'SLIPWAY', 'SYNC OF CHANGED', 'SYNC OF ALL', 'FASTER'];
  const lines = [head, ...cells].map((line) =>
    line
      .map((cell, column) => cell.padEnd((head[column]?.length ?? 0) + 4))
      .join('')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n(seconds, medians of ${rounds} rounds)\n`;
}
