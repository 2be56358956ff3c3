import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureTools } from '../../src/adapters/tools/ensure-tools.ts';
import { run } from '../../src/adapters/process/run.ts';

export interface ChartRenderer {
  /** What `helm template` prints for the release `api` with these values. */
  render: (values: unknown) => Promise<string>;
  /** The same of another version of the chart. */
  renderVersion: (version: string, values: unknown) => Promise<string>;
  close: () => Promise<void>;
}

/** Renders a chart of test/fixtures/charts, with the chart that it depends on, by the real helm. */
export async function startChartRenderer(chart: string): Promise<ChartRenderer> {
  const { helm } = await ensureTools(['helm']);
  const folder = await mkdtemp(join(tmpdir(), 'slipway-chart-'));
  const copy = join(folder, chart);
  await cp(join('test/fixtures/charts', chart), copy, { recursive: true });
  await cp('templates/charts/generic-service', join(copy, 'charts/generic-service'), {
    recursive: true,
  });
  const env = { HOME: folder, PATH: '/usr/bin:/bin' };
  const helmOnChart = async (args: string[]) => {
    const result = await run(helm, args, { env, cwd: folder });
    if (result.exitCode !== 0) throw new Error(result.stderr);
    return result.stdout;
  };
  const renderVersion = async (version: string, values: unknown) => {
    const file = join(folder, 'values.json');
    await writeFile(file, JSON.stringify(values));
    await helmOnChart(['package', copy, '--version', version, '--destination', folder]);
    const archive = join(folder, `${chart}-${version}.tgz`);
    return helmOnChart(['template', 'api', archive, '--namespace', 'cs-dev', '--values', file]);
  };
  return {
    render: (values) => renderVersion('1.0.0', values),
    renderVersion,
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
