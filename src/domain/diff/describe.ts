import { resourceOf, type ResourceChange } from './compare.ts';
import type { FieldChange } from './fields.ts';
import { isNoise } from './noise.ts';
import type { FieldDiff, ResourceDiff } from './plan-diff.ts';
import { pointerTo, stepsOf } from './pointer.ts';
import { printResource, type Line } from './print.ts';
import type { Json, Resource } from './resource.ts';
import { isImmutable, riskOf } from './risk.ts';
import { unifiedLines } from './text.ts';
import { createVeil, HIDDEN, type Redaction, type Veil } from './veil.ts';

/** Longer values are read in the text, where only the lines that differ stand. */
const VALUE_MAX = 2_000;

/**
 * What people may see of a change: its fields and its text, with noise marked, risk named and secrets
 * hidden.
 */
export function describeChange(change: ResourceChange, redact: Redaction): ResourceDiff {
  const resource = resourceOf(change);
  const veil = createVeil(
    resource,
    alsoHiding(redact, rotated(change, createVeil(resource, redact))),
  );
  const fields = change.fields.map((field) => describeField(field, change.before, veil));
  const before = change.before ? print(change.before, veil) : [];
  const after = change.after ? print(change.after, veil) : [];
  const risk = riskOf(change);
  const isHidden =
    fields.some(({ hidden }) => hidden) ||
    (change.fields.length === 0 && [...before, ...after].some(({ hidden }) => hidden));
  return {
    change: change.change,
    group: resource.group,
    kind: resource.kind,
    namespace: redact.name(resource.namespace),
    name: redact.name(resource.name),
    ...(resource.origin === undefined ? {} : { origin: redact.name(resource.origin) }),
    ...(risk === undefined ? {} : { risk }),
    ...(fields.length > 0 && fields.every(({ noise }) => noise) ? { noise: true } : {}),
    ...(isHidden ? { hidden: true } : {}),
    fields,
    text: unifiedLines(before, after).join('\n'),
  };
}

/**
 * Values in the place of which a secret comes, or that come in the place of one: what a secret was before
 * it was rotated is known to nobody any more, and is none the less secret.
 */
function rotated({ fields }: ResourceChange, veil: Veil): ReadonlySet<string> {
  const others = fields.flatMap(({ pointer, before, after }) => {
    if (!isScalar(before) || !isScalar(after)) return [];
    const steps = stepsOf(pointer);
    const [isOldHidden, isNewHidden] = [before, after].map(
      (value) => veil.value(steps, value) === HIDDEN,
    );
    if (isOldHidden === isNewHidden) return [];
    return [String(isOldHidden ? after : before)];
  });
  return new Set(others);
}

function isScalar(value: Json | undefined): value is string | number | boolean {
  return value !== undefined && value !== null && typeof value !== 'object';
}

function alsoHiding(redact: Redaction, values: ReadonlySet<string>): Redaction {
  return { ...redact, value: (text) => (values.has(text) ? HIDDEN : redact.value(text)) };
}

function describeField(field: FieldChange, live: Resource | undefined, veil: Veil): FieldDiff {
  const steps = stepsOf(field.pointer);
  const before = describeValue(field.before, steps, veil);
  const after = describeValue(field.after, steps, veil);
  return {
    pointer: steps.map(veil.name).reduce(pointerTo, ''),
    ...('value' in before ? { before: before.value } : {}),
    ...('value' in after ? { after: after.value } : {}),
    ...(field.reordered ? { reordered: true } : {}),
    // A label that the API server refuses to change is not noise.
    ...(isNoise(field) && !isImmutable(live, field.pointer) ? { noise: true } : {}),
    ...(before.hidden || after.hidden ? { hidden: true } : {}),
    ...(before.shortened || after.shortened ? { shortened: true } : {}),
  };
}

interface Described {
  value?: Json;
  hidden?: boolean;
  shortened?: boolean;
}

function describeValue(value: Json | undefined, steps: readonly string[], veil: Veil): Described {
  if (value === undefined) return {};
  const seen = veil.value(steps, value);
  const hidden = JSON.stringify(seen) !== JSON.stringify(value);
  const text = typeof seen === 'string' ? seen : JSON.stringify(seen);
  if (text.length <= VALUE_MAX) return { value: seen, hidden };
  const rest = `… (${text.length - VALUE_MAX} characters more)`;
  return { value: text.slice(0, VALUE_MAX) + rest, hidden, shortened: true };
}

function print({ content }: Resource, veil: Veil): Line[] {
  const show = (steps: readonly string[], value: Json) => {
    const seen = veil.value(steps, value);
    return seen === HIDDEN && value !== HIDDEN ? undefined : seen;
  };
  return printResource(content, show, veil.name);
}
