import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../../workflows/histories');
const ROOT = join(import.meta.dirname, '../../..');

/** A history as it is kept; replay needs the workflow's id beside it. */
export interface KeptHistory {
  /** Of the file, without its ending. */
  name: string;
  workflowId: string;
  runId: string;
  history: { events: unknown[] };
}

export function keptHistories(): KeptHistory[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({
      name: file.slice(0, -'.json'.length),
      ...(JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Omit<KeptHistory, 'name'>),
    }));
}

export async function emptyHistories(): Promise<void> {
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER);
}

/** Keeps the history of a workflow's run, of its newest by default. */
export async function keepHistory(
  environment: TestWorkflowEnvironment,
  options: { name: string; workflowId: string; runId: string },
): Promise<void> {
  const { name, workflowId, runId } = options;
  const handle = environment.client.workflow.getHandle(workflowId, runId);
  const text = historyToJSON(await handle.fetchHistory());
  const { events } = withoutMachine(JSON.parse(text)) as { events: unknown[] };
  // One event a line: short, and a change of it reads well.
  const lines = events.map((event) => JSON.stringify(event)).join(',\n');
  const ids = JSON.stringify({ workflowId, runId }).slice(1, -1);
  const kept = `{${ids},"history":{"events":[\n${lines}\n]}}\n`;
  for (const trace of [hostname(), ROOT]) {
    if (kept.includes(trace)) throw new Error(`${name} tells of the machine: ${trace}`);
  }
  await writeFile(join(FOLDER, `${name}.json`), kept);
}

/** Replay reads none of these: they differ each time, or tell who recorded, where, from which files. */
const LEFT_OUT = [
  'identity',
  'stackTrace',
  'taskId',
  'requestId',
  'workerVersion',
  'meteringMetadata',
];

function withoutMachine(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutMachine);
  if (typeof value !== 'object' || value === null) return value;
  const pairs = Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
    if (LEFT_OUT.includes(key)) return [];
    if (key === 'name' && 'kind' in value && value.kind === 'TASK_QUEUE_KIND_STICKY') {
      return [[key, 'sticky']];
    }
    return [[key, withoutMachine(inner)]];
  });
  return Object.fromEntries(pairs);
}
