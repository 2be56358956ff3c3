import { keyLists } from './merge-keys.ts';
import { pointerTo } from './pointer.ts';
import { byKey, isList, isObject, type Json, type JsonObject } from './resource.ts';

/**
 * One field that differs. Absent `before`: it is new; absent `after`: it is gone.
 * The pointer is a JSON Pointer in which an entry of a list of named things stands under its key
 * (`/spec/template/spec/containers/app/env/LOG_LEVEL/value`), not under a position that shifts.
 */
export interface FieldChange {
  pointer: string;
  before?: Json;
  after?: Json;
  /** The list has the same entries in another order; `before` and `after` are their keys. */
  reordered?: true;
}

/**
 * The fields in which two values differ; empty only where they are equal as parsed. Nothing is taken
 * for the same that is written differently: `1` and `"1"`, `1000m` and `1`, null and absent differ.
 */
export function compareValues(before: Json, after: Json): FieldChange[] {
  const changes: FieldChange[] = [];
  compare({ pointer: '', step: undefined }, before, after, changes);
  return changes;
}

/** Where in the resource, and the last step to it. */
interface Place {
  pointer: string;
  step: string | undefined;
}

function compare(place: Place, before: Json, after: Json, changes: FieldChange[]): void {
  if (before === after) return;
  if (isObject(before) && isObject(after)) {
    compareObjects(place, before, after, changes);
  } else if (isList(before) && isList(after)) {
    const keyed = keyLists(place.step, before, after);
    if (keyed) compareKeyed(place, keyed.before, keyed.after, changes);
    else compareByPosition(place, before, after, changes);
  } else {
    changes.push({ pointer: place.pointer, before, after });
  }
}

function compareObjects(
  place: Place,
  before: JsonObject,
  after: JsonObject,
  changes: FieldChange[],
): void {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  for (const key of [...keys].sort(byKey)) {
    const was = Object.hasOwn(before, key) ? before[key] : undefined;
    const is = Object.hasOwn(after, key) ? after[key] : undefined;
    compareMaybe(below(place, key), was, is, changes);
  }
}

function compareKeyed(
  place: Place,
  before: ReadonlyMap<string, Json>,
  after: ReadonlyMap<string, Json>,
  changes: FieldChange[],
): void {
  for (const key of new Set([...after.keys(), ...before.keys()])) {
    compareMaybe(below(place, key), before.get(key), after.get(key), changes);
  }
  // Order counts: a variable may refer to one before it, and init containers run in turn.
  const stayedBefore = [...before.keys()].filter((key) => after.has(key));
  const stayedAfter = [...after.keys()].filter((key) => before.has(key));
  if (stayedBefore.some((key, index) => key !== stayedAfter[index])) {
    const { pointer } = place;
    changes.push({ pointer, before: stayedBefore, after: stayedAfter, reordered: true });
  }
}

/** What both lists begin and end with stays out, so that an entry in the middle is one change. */
function compareByPosition(
  place: Place,
  before: readonly Json[],
  after: readonly Json[],
  changes: FieldChange[],
): void {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && isEqual(before[start], after[start])) start += 1;
  let end = 0;
  while (end < shorter - start && isEqual(before.at(-1 - end), after.at(-1 - end))) end += 1;
  const lastBefore = before.length - end;
  const lastAfter = after.length - end;
  for (let index = start; index < Math.max(lastBefore, lastAfter); index += 1) {
    compareMaybe(
      below(place, String(index)),
      index < lastBefore ? before[index] : undefined,
      index < lastAfter ? after[index] : undefined,
      changes,
    );
  }
}

function compareMaybe(
  place: Place,
  before: Json | undefined,
  after: Json | undefined,
  changes: FieldChange[],
): void {
  const { pointer } = place;
  if (before === undefined && after !== undefined) changes.push({ pointer, after });
  else if (before !== undefined && after === undefined) changes.push({ pointer, before });
  else if (before !== undefined && after !== undefined) compare(place, before, after, changes);
}

function below({ pointer }: Place, step: string): Place {
  return { pointer: pointerTo(pointer, step), step };
}

/** Equal as parsed; the order of an object's keys says nothing, that of a list does. */
function isEqual(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (isList(a) && isList(b)) {
    return a.length === b.length && a.every((entry, index) => isEqual(entry, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key], b[key]))
  );
}
