import { parseAllDocuments } from 'yaml';
import { evaluatePath } from './path-template.ts';

const ACTION = /\{\{.*?\}\}/gs;
const ALIASES_MAX = 1_000;

/**
 * The values files of each environment as a helmfile declares them, by the environment's name; undefined
 * for an environment some of whose paths only helmfile itself can tell.
 *
 * Reads the source text of a `helmfile.yaml` or `helmfile.yaml.gotmpl`: lines that are template actions
 * are left out, other actions are kept as text.
 */
export function environmentValues(source: string): Map<string, string[] | undefined> {
  const actions: string[] = [];
  const text = source
    .replaceAll(/^[ \t]*\{\{.*?\}\}[ \t]*$/gms, '')
    .replaceAll(ACTION, (action) => `__action_${actions.push(action) - 1}__`);
  const environments = new Map<string, string[] | undefined>();
  for (const document of parseAllDocuments(text, { merge: true, logLevel: 'silent' })) {
    if ('empty' in document && document.errors.length > 0) continue;
    const value = toPlain(document);
    for (const [name, declared] of entriesOf(field(value, 'environments'))) {
      if (environments.has(name)) continue;
      const paths = listOf(field(declared, 'values'))
        .filter((path) => typeof path === 'string')
        .map((path) => path.replaceAll(/__action_(\d+)__/g, (_, at) => actions[Number(at)] ?? ''))
        .map((path) => evaluatePath(path, name));
      const known = paths.filter((path) => path !== undefined);
      environments.set(name, known.length === paths.length ? known : undefined);
    }
  }
  return environments;
}

function toPlain(document: { toJS: (options: { maxAliasCount: number }) => unknown }): unknown {
  try {
    return document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch {
    return undefined;
  }
}

function field(value: unknown, name: string): unknown {
  return Object.fromEntries(entriesOf(value))[name];
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.entries(value)
    : [];
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
