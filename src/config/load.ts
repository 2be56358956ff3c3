import { readFile } from 'node:fs/promises';
import type { Config } from './config.ts';
import { parseConfig } from './parse.ts';
import { ConfigError } from './problems.ts';

/** Reads slipway.yaml. Throws one {@link ConfigError} with every problem. */
export async function loadConfig(path: string): Promise<Config> {
  const parsed = parseConfig(await readText(path), path);
  if (!parsed.ok) throw new ConfigError(parsed.problems);
  return parsed.config;
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const message = `the configuration cannot be read (${code ?? 'unknown error'})`;
    throw new ConfigError([{ file, line: 1, column: 1, path: '', message }]);
  }
}
