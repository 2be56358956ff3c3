import { parse } from 'yaml';

/** What a template of values may read of its environment. */
interface TemplateReads {
  /** Paths in the environment's values, such as `versions`, `api`. */
  values: string[][];
  variables: string[];
  /** Where it does not name what it reads, it may be anything. */
  anything: boolean;
}

const ACTION = /\{\{-?([\s\S]*?)-?\}\}/g;
const COMMENT = /^\s*\/\*[\s\S]*\*\/\s*$/;
const VARIABLE = /\b(?:env|requiredEnv)\s+"([^"\\]*)"/g;
const INDEXED = /\bindex\s+\$?\.Values((?:\.\w+)*)((?:\s+"[^"\\]*")+)/g;
const NAMED = /\$?\.Values((?:\.\w+)+)/g;
/** Reads what nobody named: all values, a text that is a template itself, a variable by a made-up name. */
const UNNAMED =
  /Values|\b(?:tpl|include|template|tmpl|env|requiredEnv|expandenv)\b|(?:^|[\s(])\$(?=[\s)]|$)/;

/** The values of a helmfile's environment, which all its services share: parsed once, where that is needed. */
export class EnvironmentValues {
  /** The section of `helmfile build` with the values. */
  readonly text: string;
  #parsed: { renderedvalues?: unknown } | undefined;

  constructor(text: string) {
    this.text = text;
  }

  get values(): unknown {
    this.#parsed ??= (parse(this.text) as { renderedvalues?: unknown } | null) ?? {};
    return this.#parsed.renderedvalues;
  }
}

/** Reads which values and variables the text of a template names. */
function readsOf(template: string): TemplateReads {
  const reads: TemplateReads = { values: [], variables: [], anything: false };
  for (const [, action = ''] of template.matchAll(ACTION)) {
    if (COMMENT.test(action)) continue;
    const rest = action
      .replaceAll(VARIABLE, (_all, name: string) => {
        reads.variables.push(name);
        return ' ';
      })
      .replaceAll(INDEXED, (_all, path: string, keys: string) => {
        reads.values.push([...namesIn(path), ...(keys.match(/[^"\s][^"]*(?=")/g) ?? [])]);
        return ' ';
      })
      .replaceAll(NAMED, (_all, path: string) => {
        reads.values.push(namesIn(path));
        return ' ';
      })
      .replaceAll(/"(?:[^"\\]|\\.)*"|`[^`]*`/g, ' ');
    // Without a range or a with, a dot is everything there is.
    const isAll =
      /(?:^|[\s(])\.(?=[\s)]|$)/.test(rest) && !/\{\{-?\s*(?:range|with)\b/.test(template);
    if (isAll || UNNAMED.test(rest)) reads.anything = true;
  }
  return reads;
}

/**
 * What the templates of a service read of the environment, as text. A template decides how it writes a
 * value (`no` or `"no"`, `0o17` or `15`), which helmfile reads alike and Helm does not, so that neither the
 * evaluated values nor the bytes of the template tell all.
 *
 * @param environment of the helmfile that declares the service
 */
export function readByTemplates(
  templates: readonly string[],
  environment: EnvironmentValues,
  variables: Readonly<Record<string, string>>,
): string {
  if (templates.length === 0) return '';
  const reads = templates.map(readsOf);
  if (reads.some(({ anything }) => anything)) return environment.text + JSON.stringify(variables);
  const { values } = environment;
  return JSON.stringify(
    reads.map((read) => [
      read.values.map((path) => valueAt(values, path)),
      read.variables.map((name) => variables[name] ?? null),
    ]),
  );
}

/** The value, or where the path leaves the values, the last one on it. */
function valueAt(values: unknown, path: readonly string[]): unknown {
  let value = values;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) break;
    value = (value as Record<string, unknown>)[name];
  }
  return value ?? null;
}

function namesIn(path: string): string[] {
  return path.split('.').filter((name) => name !== '');
}
