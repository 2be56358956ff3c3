import type { FieldDiff, PlanDiff } from '../diff/plan-diff.ts';

const LINES_MAX = 10;
const VALUE_MAX = 80;

/** What a plan changed in a service, a line for each field, so that a failure can be held against it. */
export function changedLines(diff: PlanDiff | undefined, service: string | undefined): string[] {
  const resources = diff?.services.find((each) => each.service === service)?.resources ?? [];
  const lines = resources
    .filter(({ noise }) => !noise)
    .flatMap(({ kind, name, change, fields }) => {
      const which = `${kind}/${name}`;
      if (fields.length === 0) return [`${which}: ${change}`];
      return fields
        .filter(({ noise }) => !noise)
        .map((field) => `${which} ${field.pointer}: ${valuesOf(field)}`);
    });
  const left = lines.length - LINES_MAX;
  return left > 0 ? [...lines.slice(0, LINES_MAX), `and ${left} more`] : lines;
}

function valuesOf(field: FieldDiff): string {
  if (field.hidden) return 'changed (hidden)';
  if (field.reordered) return 'reordered';
  return `${shown(field.before)} → ${shown(field.after)}`;
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > VALUE_MAX ? `${text.slice(0, VALUE_MAX - 1)}…` : text;
}
