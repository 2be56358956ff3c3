import { posix } from 'node:path';
import { parse } from 'yaml';
import type { EnvironmentFacts, HelmSettings, ServiceFacts } from '../../domain/check/facts.ts';
import { readsOf } from '../../domain/plan/template-reads.ts';
import { sentenceOf } from '../../domain/why/rules.ts';
import {
  readRelease,
  valuesFolder,
  type BuildDocument,
  type ReleaseEntry,
} from './build-output.ts';
import { readRepositories } from './chart-repositories.ts';
import { Charts } from './charts.ts';
import type { Helmfile } from './helmfile.ts';
import { InputFiles } from './input-files.ts';

export interface FactsPlace {
  environment: string;
  /** The checked-out repository. */
  tree: string;
  helmHome: string;
}

export interface EnvironmentRead {
  facts: EnvironmentFacts;
  /** Why nothing is known of the charts. */
  chartsNotChecked?: string;
  /** What a deployment would fail with, though its helmfiles alone can be evaluated. */
  buildFault?: string;
}

/**
 * Reads what there is to say about an environment. Throws what a deployment of it would fail with where
 * its helmfiles cannot be evaluated.
 */
export async function readEnvironmentFacts(
  helmfile: Helmfile,
  { environment, tree, helmHome }: FactsPlace,
): Promise<EnvironmentRead> {
  const documents = await helmfile.state();
  const repositories = readRepositories(documents);
  const files = new InputFiles(tree);
  const unreachable =
    repositories.size === 0 ? undefined : await failureOf(() => helmfile.refreshCharts());
  const charts = new Charts({ tree, helmHome, files, repositories });
  const services: ServiceFacts[] = [];
  for (const document of documents) {
    const shared = await sharedTexts(document, files);
    for (const text of document.releases.values()) {
      const entry = readRelease(text);
      if (!entry.installed) continue;
      const chartFault =
        unreachable === undefined ? await faultOfChart(charts, entry, document) : undefined;
      services.push({
        ...(await readService(entry, document, files, shared)),
        ...(chartFault === undefined ? {} : { chartFault }),
      });
    }
  }
  const unstable = new Set<string>();
  // Values files that are not there are said already, and keep helmfile from evaluating the others.
  const complete = services.every(({ missing }) => missing.length === 0);
  const buildFault = !complete
    ? undefined
    : await failureOf(async () => {
        for (const name of await helmfile.unstable()) unstable.add(name);
      });
  return {
    facts: { environment, services, unstable },
    ...(unreachable === undefined ? {} : { chartsNotChecked: unreachable }),
    ...(buildFault === undefined ? {} : { buildFault }),
  };
}

async function readService(
  entry: ReleaseEntry,
  document: BuildDocument,
  files: InputFiles,
  shared: readonly NamedText[],
): Promise<ServiceFacts> {
  const { name, fields } = entry;
  const folder = valuesFolder(entry, posix.dirname(document.source));
  const listed = ['values', 'secrets'].flatMap((key) => textsOf(fields[key]));
  const named = await Promise.all(listed.map((text) => files.named(folder, text)));
  const inputs = named.flatMap((found) => found ?? []);
  const templates = await namedTexts(
    inputs.map(({ path }) => path),
    files,
  );
  const own = templates.map((template) => ({ ...template, ...readsOf(template.text) }));
  // A helmfile handles much that is no version of a service.
  const all = shared.map((template) => {
    const reads = readsOf(template.text);
    const anything = reads.anything && /\.Values(?![\w.])/.test(template.text);
    return { ...template, ...reads, anything };
  });
  const reads = [...own, ...all];
  const versions = reads.flatMap(({ values }) => values.filter(([root]) => root === 'versions'));
  return {
    name,
    source: document.source,
    missing: inputs.filter(({ sha256 }) => sha256 === 'missing').map(({ path }) => path),
    versionKeys: new Set(versions.flatMap(([, key]) => (key === undefined ? [] : [key]))),
    readsAnyVersion:
      versions.some(([, key]) => key === undefined) || reads.some(({ anything }) => anything),
    variables: reads.flatMap(({ path, variables }) =>
      variables.map((variable) => ({ name: variable, file: path })),
    ),
    settings: settingsOf(entry, document),
  };
}

interface NamedText {
  path: string;
  text: string;
}

/** The helmfile's own template, which may hand versions on to all its services. */
function sharedTexts({ source }: BuildDocument, files: InputFiles): Promise<NamedText[]> {
  return namedTexts([source], files);
}

function namedTexts(paths: readonly string[], files: InputFiles): Promise<NamedText[]> {
  const templates = paths.filter((path) => path.endsWith('.gotmpl'));
  return Promise.all(templates.map(async (path) => ({ path, text: await files.text(path) })));
}

function settingsOf({ fields }: ReleaseEntry, document: BuildDocument): HelmSettings {
  const section = document.sections.get('helmDefaults') ?? '';
  const parsed = parse(section) as { helmDefaults?: Record<string, unknown> | null } | null;
  const defaults = parsed?.helmDefaults ?? {};
  const setting = (key: keyof HelmSettings) => ({ [key]: fields[key] ?? defaults[key] });
  return {
    ...setting('historyMax'),
    ...setting('cleanupOnFail'),
    ...setting('wait'),
    ...setting('createNamespace'),
  };
}

function faultOfChart(
  charts: Charts,
  { name, chart, version }: ReleaseEntry,
  { source }: BuildDocument,
): Promise<string | undefined> {
  const folder = posix.dirname(source);
  return charts
    .find({ name, chart, version, folder })
    .then(({ unresolved }) => unresolved, sentenceOf);
}

function failureOf(work: () => Promise<void>): Promise<string | undefined> {
  return work().then(() => undefined, sentenceOf);
}

/** Entries that are names of files; maps are inline. */
function textsOf(list: unknown): string[] {
  return Array.isArray(list) ? list.filter((entry) => typeof entry === 'string') : [];
}
