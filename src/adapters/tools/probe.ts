import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from '../process/run.ts';
import type { Tool } from './manifest.ts';
import { probeEnv } from './environment.ts';
import { describeRange, isAccepted } from './versions.ts';

export type ProbeAnswer = { ok: true; version: string | undefined } | { ok: false; reason: string };

export type PathAnswer =
  { found: true; path: string; version: string } | { found: false; reason: string };

const PROBE_MS_MAX = 20_000;
const OUTPUT_BYTES_KEPT = 64 * 1024;

/** Runs a program and reads what it says it is. */
export async function probe(
  path: string,
  tool: Tool,
  env: NodeJS.ProcessEnv,
): Promise<ProbeAnswer> {
  const result = await run(path, tool.probe.args, {
    env: probeEnv(env),
    timeoutMs: PROBE_MS_MAX,
    keepTailBytes: OUTPUT_BYTES_KEPT,
  }).catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
  if (typeof result === 'string') return { ok: false, reason: result };
  if (result.timedOut) return { ok: false, reason: `${path} did not answer in time` };
  const match = tool.probe.shows.exec(`${result.stdout}\n${result.stderr}`);
  if (!match) return { ok: false, reason: `${path} does not say which version it is` };
  return { ok: true, version: match[1] };
}

/** Looks a tool up on PATH and takes it if its version will do. */
export async function findOnPath(
  name: string,
  tool: Tool,
  env: NodeJS.ProcessEnv,
): Promise<PathAnswer> {
  if (!tool.accepts) return { found: false, reason: 'only an installed one is used' };
  const path = which(name, env);
  if (path === undefined) return { found: false, reason: 'not on PATH' };
  const answer = await probe(path, tool, env);
  if (!answer.ok) return { found: false, reason: answer.reason };
  const version = answer.version ?? 'unknown';
  if (answer.version === undefined || !isAccepted(version, tool.accepts)) {
    const range = describeRange(tool.accepts);
    return { found: false, reason: `${path} is ${version}, accepted is ${range}` };
  }
  return { found: true, path, version };
}

/** The first executable of that name on PATH. */
export function which(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder.startsWith('/'));
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
