import { readFile } from 'node:fs/promises';
import type { EnvironmentConfig, SecretRef } from '../config/config.ts';
import { readsOf } from '../domain/plan/template-reads.ts';

/** What templates see as environment variables when nothing is deployed. */
export interface CheckVariables {
  values: Record<string, string>;
  /** Not to be told in messages. */
  secrets: string[];
  /** Where secrets are expected that are not at hand: something else stands for them. */
  missing: string[];
}

/**
 * The variables of an environment, with secrets as far as this process has them. Without a configuration
 * templates see what they name of this process's own environment.
 */
export async function checkVariables(
  environment: EnvironmentConfig | undefined,
  templates: Iterable<string>,
  own: NodeJS.ProcessEnv,
): Promise<CheckVariables> {
  const found: CheckVariables = { values: {}, secrets: [], missing: [] };
  for (const [name, value] of environment?.variables ?? []) {
    if (typeof value === 'string') {
      found.values[name] = value;
      continue;
    }
    const secret = await readSecret(value, own);
    found.values[name] = secret ?? placeholder(name);
    if (secret === undefined) found.missing.push(placeOf(value));
    else keepSecret(found, secret);
  }
  if (environment) return found;
  for (const template of templates) {
    for (const name of readsOf(template).variables) {
      const value = own[name];
      if (value === undefined) continue;
      found.values[name] = value;
      // Nobody says here which of them are secrets.
      keepSecret(found, value);
    }
  }
  return found;
}

// Shorter ones cannot be told from text; slipway.yaml refuses them.
const SECRET_CHARACTERS_MIN = 8;

function keepSecret({ secrets }: CheckVariables, value: string): void {
  if (value.length >= SECRET_CHARACTERS_MIN) secrets.push(value);
}

async function readSecret({ source }: SecretRef, own: NodeJS.ProcessEnv) {
  if ('env' in source) return own[source.env] === '' ? undefined : own[source.env];
  const text = await readFile(source.file, 'utf8').catch(() => undefined);
  return text?.replace(/\r?\n$/, '');
}

function placeOf({ source }: SecretRef): string {
  return 'env' in source ? source.env : source.file;
}

/** Nobody's address, by RFC 2606. */
function placeholder(name: string): string {
  return /URL|SERVER|HOST|ENDPOINT|REPOSITORY/.test(name)
    ? 'https://placeholder.invalid'
    : 'placeholder';
}
