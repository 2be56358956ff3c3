import { join } from 'node:path';
import { pickChartVersion } from '../../domain/plan/chart-version.ts';
import { readLogin, Registry } from '../registry/registry.ts';
import type { Trust } from '../registry/trusting-fetch.ts';
import type { ResolvedChart } from './chart-index.ts';

export interface ChartRegistryAccess {
  /** Folder of Helm's configuration, which holds what `helm registry login` wrote. */
  helmConfig: string;
  plainHttp: boolean;
  trust?: Trust;
  signal?: AbortSignal;
}

/**
 * Finds the version that Helm takes for a range among a chart's tags in an OCI registry, and the digest
 * of its manifest.
 *
 * @param chart such as `registry.example.org/charts/api`
 */
export async function resolveInRegistry(
  chart: string,
  range: string,
  { helmConfig, plainHttp, trust, signal }: ChartRegistryAccess,
): Promise<ResolvedChart | undefined> {
  const slash = chart.indexOf('/');
  const [host, name] = [chart.slice(0, slash), chart.slice(slash + 1)];
  const login = await readLogin(join(helmConfig, 'registry', 'config.json'), host);
  const loginHint = 'its login belongs into `variables`';
  const registry = new Registry(host, name, { plainHttp, trust, login, loginHint, signal });
  const exact = /^v?\d+\.\d+\.\d+(?:[-+].*)?$/.test(range);
  // A tag cannot hold the `+` of a version, so Helm writes `_`.
  const versions = async () => (await registry.tags()).map((tag) => tag.replaceAll('_', '+'));
  const version = exact ? range : pickChartVersion(await versions(), range);
  const digest =
    version === undefined ? undefined : await registry.digest(version.replaceAll('+', '_'));
  return version === undefined || digest === undefined ? undefined : { version, digest };
}
