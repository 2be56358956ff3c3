import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SlipwayError } from '../../domain/errors.ts';
import { cutBuild, type BuildDocument } from './build-output.ts';
import { readRepositories, type ChartRepository } from './chart-repositories.ts';
import { Charts, type ChartFound } from './charts.ts';
import { InputFiles } from './input-files.ts';
import { readServiceInputs, type ServiceInput } from './service-inputs.ts';

/** A service as the commit declares it, with the content of its chart. */
export interface DeclaredInput extends ServiceInput {
  found: ChartFound;
}

/** What is asked of helmfile to read an environment. */
export interface HelmfileReader {
  tree: string;
  helmHome: string;
  /** What templates see as environment variables. */
  variables: Readonly<Record<string, string>>;
  build: (options: { embedValues: boolean }) => Promise<string>;
  /** Names of the releases whose condition holds. */
  enabled: () => Promise<ReadonlySet<string>>;
  /** Adds the chart repositories and refreshes their indexes. */
  repos: () => Promise<void>;
  signal?: AbortSignal;
}

// A chart published within this time is seen by the next plan, or at once where its version is asked
// for by name; refreshing costs as much as the rest of a plan.
const INDEX_FRESH_MS = 60_000;

/** Reads every service that the commit declares for the environment. */
export async function readEnvironment(reader: HelmfileReader): Promise<DeclaredInput[]> {
  const { tree } = reader;
  const embedded = await reader.build({ embedValues: true });
  // Known by now: it was checked before, or beside.
  const plain = await reader.build({ embedValues: false });
  const documents = cutBuild(plain);
  const files = new InputFiles(tree);
  const inputs = await readServiceInputs(cutBuild(embedded), documents, files, reader.variables);
  const enabled = inputs.some(({ hasCondition }) => hasCondition)
    ? await reader.enabled()
    : undefined;
  const services = inputs.filter(({ name }) => enabled?.has(name) ?? true);

  const repositories = readRepositories(documents);
  const indexes = new ChartIndexes(reader, documents, repositories);
  let isFresh = await indexes.refreshWhenOld();
  for (;;) {
    const { helmHome, signal } = reader;
    const place = { tree, helmHome, files, repositories, ...(signal && { signal }) };
    const found = await findCharts(services, new Charts(place));
    const [unresolved] = found.flatMap((service) => service.found.unresolved ?? []);
    if (unresolved === undefined) return found;
    if (isFresh) throw new SlipwayError('chart-unresolved', unresolved);
    await indexes.refresh();
    isFresh = true;
  }
}

function findCharts(services: readonly ServiceInput[], charts: Charts): Promise<DeclaredInput[]> {
  return Promise.all(
    services.map(async (service) => ({
      ...service,
      // Nobody needs the chart of what is going to be uninstalled.
      found: service.removed ? { files: [] } : await charts.find(service),
    })),
  );
}

/** The indexes of chart repositories that Helm keeps for an environment from one plan to the next. */
class ChartIndexes {
  readonly #reader: HelmfileReader;
  readonly #needed: boolean;
  readonly #definition: string;
  readonly #note: string;

  constructor(
    reader: HelmfileReader,
    documents: readonly BuildDocument[],
    repositories: ReadonlyMap<string, ChartRepository>,
  ) {
    this.#reader = reader;
    this.#needed = repositories.size > 0;
    const sections = documents.map((document) => document.sections.get('repositories') ?? '');
    this.#definition = createHash('sha256').update(sections.join('\0')).digest('hex');
    this.#note = join(reader.helmHome, 'slipway-indexes.json');
  }

  /** Returns whether they are as new as they can be. */
  async refreshWhenOld(): Promise<boolean> {
    if (!this.#needed) return true;
    const last = await this.#lastRefresh();
    const age = Date.now() - (last.at ?? 0);
    if (last.definition === this.#definition && age >= 0 && age < INDEX_FRESH_MS) return false;
    await this.refresh();
    return true;
  }

  async #lastRefresh(): Promise<{ at?: number; definition?: string }> {
    try {
      return JSON.parse(await readFile(this.#note, 'utf8')) as { at?: number; definition?: string };
    } catch {
      // Not yet, or only half of it, where the worker or its disk gave way while it was written.
      return {};
    }
  }

  async refresh(): Promise<void> {
    const at = Date.now();
    await this.#reader.repos();
    const note = JSON.stringify({ at, definition: this.#definition });
    await writeFile(this.#note, note, { mode: 0o600 });
  }
}
