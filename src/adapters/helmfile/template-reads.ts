import { parse } from 'yaml';
import { BoundedMap } from '../../domain/bounded-map.ts';
import { readsOf, type TemplateReads } from '../../domain/plan/template-reads.ts';

/** A template of values, or one that others include. */
export interface ValuesTemplate {
  path: string;
  text: string;
}

// The next plan, and the apply of this one, read mostly the same texts again.
const knownReads = new BoundedMap<string, TemplateReads>(2_000);
const knownValues = new BoundedMap<string, unknown>(8);

/** The values of a helmfile's environment, which all its services share: parsed only where that is needed. */
export class EnvironmentValues {
  /** The section of `helmfile build` with the values. */
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  get values(): unknown {
    return remembered(knownValues, this.text, (text) => {
      return (parse(text) as { renderedvalues?: unknown } | null)?.renderedvalues ?? null;
    });
  }
}

/** Whether a template may take others, which stand in files of their own, into itself. */
export function includesOthers({ text }: ValuesTemplate): boolean {
  return /\b(?:include|template)\b/.test(text);
}

/**
 * What the templates of a service read of the environment, as text. A template decides how it writes a
 * value (`no` or `"no"`, `0o17` or `15`), which helmfile reads alike and Helm does not, so that neither the
 * evaluated values nor the bytes of the template tell all.
 *
 * @param environment of the helmfile that declares the service
 */
export function readByTemplates(
  templates: readonly ValuesTemplate[],
  environment: EnvironmentValues,
  variables: Readonly<Record<string, string>>,
): { text: string; notUnderstood?: string } {
  if (templates.length === 0) return { text: '' };
  const reads = templates.map(({ text }) => remembered(knownReads, text, readsOf));
  const notUnderstood = templates.flatMap(({ path }, index) => {
    const why = reads[index]?.notUnderstood;
    return why === undefined ? [] : `${path} ${why}`;
  })[0];
  return {
    text: reads.some(({ anything }) => anything)
      ? environment.text + JSON.stringify(variables)
      : readValues(reads, environment, variables),
    ...(notUnderstood === undefined ? {} : { notUnderstood }),
  };
}

function remembered<V>(known: Map<string, V>, text: string, read: (text: string) => V): V {
  const before = known.get(text);
  if (before !== undefined) return before;
  const now = read(text);
  known.set(text, now);
  return now;
}

function readValues(
  reads: readonly TemplateReads[],
  { values }: EnvironmentValues,
  variables: Readonly<Record<string, string>>,
): string {
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
