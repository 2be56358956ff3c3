import { checkVersion } from '../bump.ts';
import { Refusal } from '../errors.ts';
import { isChartRange } from '../plan/chart-version.ts';

/** What a new deployment repository shall hold. */
export interface RepositoryDescription {
  chartRepositories: readonly ChartRepositoryEntry[];
  services: readonly ServiceEntry[];
  environments: readonly EnvironmentEntry[];
  clusters: readonly ClusterEntry[];
  /** Where the repository will be, for git. */
  url: string;
  branch: string;
  /** Path of the charts' value that takes the version, such as `image.tag`. */
  versionValue: readonly string[];
}

export interface ChartRepositoryEntry {
  name: string;
  /** https, or `oci://`. */
  url: string;
}

export interface ServiceEntry {
  name: string;
  version: string;
  /** The alias of a chart repository, a slash, and the chart's name. */
  chart: string;
  /** Which versions of the chart are accepted, such as `^1.0.0`. */
  range: string;
}

export interface EnvironmentEntry {
  /** Also its namespace. */
  name: string;
  /** Below `environments/`; environments that share one have the same versions and values. */
  folder: string;
  cluster: string;
}

export interface ClusterEntry {
  name: string;
  /** URL of its Kubernetes API. */
  server: string;
}

// What Kubernetes takes for a namespace (RFC 1123), and Helm for a Helm release: 53 characters.
const LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
const NAMESPACE_MAX = 63;
export const SERVICE_NAME_MAX = 53;
const FOLDER = /^[a-z0-9][a-z0-9._-]*$/;
const VALUE_PART = /^[A-Za-z_][\w-]*$/;

const CHART_REPOSITORY_EXAMPLE = 'charts=https://charts.example.org';
const SERVICE_EXAMPLE = 'example-api:2.4.1=charts/example-api@^1.0.0';
const ENVIRONMENT_EXAMPLE = 'cs-qa=qa@notprod';
const CLUSTER_EXAMPLE = 'notprod=https://kube-api.example.org';

/** Reads `name=url`, as `--chart-repository` takes it. */
export function parseChartRepository(text: string): ChartRepositoryEntry {
  const [name, url] = cut(text, '=', '--chart-repository', CHART_REPOSITORY_EXAMPLE);
  return { name: checkName(name, 'chart repository'), url };
}

/** Reads `name:version=repository/chart@range`, as `--service` takes it. */
export function parseService(text: string): ServiceEntry {
  const [left, right] = cut(text, '=', '--service', SERVICE_EXAMPLE);
  const [name, version] = cut(left, ':', '--service', SERVICE_EXAMPLE, text);
  const [chart, range] = cut(right, '@', '--service', SERVICE_EXAMPLE, text);
  return {
    name: checkName(name, 'service', SERVICE_NAME_MAX),
    version: checkVersion(name, version),
    chart: checkChart(chart),
    range: checkRange(range),
  };
}

/**
 * Reads `name[=folder][@cluster]`, as `--environment` takes it. The folder is the environment's own name
 * by default, and the cluster the only one.
 */
export function parseEnvironment(text: string, clusters: readonly string[]): EnvironmentEntry {
  const [place = '', cluster] = text.split('@');
  const [name = '', folder = name] = place.split('=');
  const [only] = clusters;
  if (cluster === undefined && clusters.length !== 1) {
    const message = `--environment ${text} names no cluster: write it like ${ENVIRONMENT_EXAMPLE}.`;
    throw new Refusal('malformed', message);
  }
  return {
    name: checkName(name, 'environment'),
    folder: checkFolder(folder),
    cluster: cluster ?? only ?? '',
  };
}

/** Reads `name=url`, as `--cluster` takes it. */
export function parseCluster(text: string): ClusterEntry {
  const [name, server] = cut(text, '=', '--cluster', CLUSTER_EXAMPLE);
  return { name: checkName(name, 'cluster'), server };
}

/** Reads the path of a chart's value, such as `image.tag`. */
export function parseVersionValue(text: string): string[] {
  const parts = text.split('.');
  if (parts.every((part) => VALUE_PART.test(part))) return parts;
  throw new Refusal('invalid', `"${text}" is no path of a chart's value, such as image.tag.`);
}

/** Throws a refusal for what does not fit together: names that are not there, or there twice. */
export function checkDescription(description: RepositoryDescription): void {
  const { chartRepositories, services, environments, clusters } = description;
  const all = {
    'chart repository': chartRepositories,
    service: services,
    environment: environments,
  };
  for (const [what, entries] of Object.entries({ ...all, cluster: clusters })) {
    const names = entries.map(({ name }) => name);
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice !== undefined)
      throw new Refusal('invalid', `There are two of the ${what} "${twice}".`);
    if (names.length === 0) throw new Refusal('malformed', `There is no ${what}: name one.`);
  }
  for (const { name, chart } of services) {
    const [alias = ''] = chart.split('/');
    mustBe(alias, chartRepositories, `The chart repository of ${name}`);
  }
  for (const { name, cluster } of environments) {
    mustBe(cluster, clusters, `The cluster of ${name}`);
  }
}

/** A name as Kubernetes takes it; throws a refusal that says which. */
export function checkName(name: string, what: string, max = NAMESPACE_MAX): string {
  if (name.length <= max && LABEL.test(name)) return name;
  const message = `"${name}" is no name of a ${what}: at most ${max} lower-case letters, digits and hyphens, with a letter or digit at both ends.`;
  throw new Refusal('invalid', message);
}

export function checkFolder(folder: string): string {
  if (FOLDER.test(folder)) return folder;
  const message = `"${folder}" is no name of a folder: lower-case letters, digits and . _ - only.`;
  throw new Refusal('invalid', message);
}

export function checkChart(chart: string): string {
  if (/^[a-z0-9-]+\/[\w.-]+(\/[\w.-]+)*$/.test(chart)) return chart;
  const message = `"${chart}" is no chart: write the chart repository's name, a slash and the chart's name.`;
  throw new Refusal('invalid', message);
}

export function checkRange(range: string): string {
  if (isChartRange(range)) return range;
  throw new Refusal('invalid', `"${range}" is no range of chart versions, such as ^1.0.0.`);
}

function mustBe(name: string, known: readonly { name: string }[], what: string): void {
  if (known.some((entry) => entry.name === name)) return;
  const list = known.map((entry) => entry.name).join(', ');
  throw new Refusal('not-found', `${what}, "${name}", is not there; known: ${list}.`);
}

function cut(
  text: string,
  separator: string,
  flag: string,
  example: string,
  whole = text,
): [string, string] {
  const at = text.indexOf(separator);
  if (at > 0 && at < text.length - 1) return [text.slice(0, at), text.slice(at + 1)];
  throw new Refusal(
    'malformed',
    `${flag} ${whole} has no "${separator}": write it like ${example}.`,
  );
}
