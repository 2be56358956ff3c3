import { compareValues, type FieldChange } from '../diff/fields.ts';
import { keyLists } from '../diff/merge-keys.ts';
import { stepsOf } from '../diff/pointer.ts';
import { isList, isObject, member, type Json, type JsonObject } from '../diff/resource.ts';
import { sleepScheduleOf } from '../sleep-schedule.ts';

/** One object of a manifest, and what the API server says about it. */
export interface LookedAt {
  kind: string;
  /** As the manifest says. */
  declared: JsonObject;
  live: JsonObject;
  /** What the live object would become if the manifest were applied now, as a dry run says. */
  applied: JsonObject;
  /** Its replicas are an autoscaler's. */
  autoscaled: boolean;
}

/**
 * The fields that somebody changed: those that an apply of the manifest would change back. `before` is
 * what is declared, as the API server writes it, and `after` what there is. Fields that the manifest does
 * not set, such as defaults and what controllers add, are left out, and so is what an autoscaler decides
 * and what a schedule has put to sleep.
 */
export function driftedFields(look: LookedAt): FieldChange[] {
  const { declared, live, applied } = look;
  return compareValues(applied, live).filter(
    (change) => isDeclared(declared, change) && !belongsToOthers(look, change),
  );
}

/**
 * Whether the manifest has a say in it. The API server decides in detail what an apply changes; whole parts
 * that the manifest does not set are changed by others even in a dry run, such as a generation.
 */
function isDeclared(declared: JsonObject, change: FieldChange): boolean {
  const steps = stepsOf(change.pointer);
  const [top = '', part, key] = steps;
  if (top === 'status') return false;
  if (!Object.hasOwn(declared, top)) return false;
  if (top === 'metadata') {
    const map = part === 'labels' || part === 'annotations' ? member(declared[top], part) : null;
    return key === undefined
      ? isObject(map ?? undefined)
      : member(map ?? undefined, key) !== undefined;
  }
  if (isObject(declared[top]) && part !== undefined && !Object.hasOwn(declared[top], part)) {
    return false;
  }
  return !change.reordered || isOtherOrder(listAt(declared, steps), change);
}

/** Entries that others added may stand anywhere: only those of the manifest keep their order. */
function isOtherOrder(
  declared: ReadonlyMap<string, Json> | undefined,
  { before, after }: FieldChange,
): boolean {
  if (!declared || !isList(before) || !isList(after)) return true;
  const own = (keys: readonly Json[]) => keys.filter((key) => declared.has(asText(key)));
  return JSON.stringify(own(before)) !== JSON.stringify(own(after));
}

/** The entries, by key, of the list of named things that stands there. */
function listAt(
  content: JsonObject,
  steps: readonly string[],
): ReadonlyMap<string, Json> | undefined {
  let value: Json | undefined = content;
  let before: string | undefined;
  for (const step of steps) {
    value = isList(value) ? keyLists(before, value, value)?.before.get(step) : member(value, step);
    before = step;
  }
  return isList(value) ? keyLists(before, value, value)?.before : undefined;
}

/** What a downscaler changes while it has something asleep, by kind. */
const ASLEEP: Readonly<Record<string, { pointer: string; value: Json }>> = {
  Deployment: { pointer: '/spec/replicas', value: 0 },
  StatefulSet: { pointer: '/spec/replicas', value: 0 },
  CronJob: { pointer: '/spec/suspend', value: true },
};

function belongsToOthers(
  { kind, live, autoscaled }: LookedAt,
  { pointer, after }: FieldChange,
): boolean {
  if (autoscaled && pointer === '/spec/replicas') return true;
  const asleep = Object.hasOwn(ASLEEP, kind) ? ASLEEP[kind] : undefined;
  if (pointer !== asleep?.pointer || after !== asleep.value) return false;
  return sleepScheduleOf(annotationsOf(live)) !== undefined;
}

function annotationsOf(live: JsonObject): Record<string, string> {
  const annotations = member(live['metadata'], 'annotations');
  if (!isObject(annotations)) return {};
  return Object.fromEntries(
    Object.entries(annotations).map(([key, value]) => [key, asText(value)]),
  );
}

function asText(value: Json): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
