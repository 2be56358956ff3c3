import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareValues, type FieldChange } from '../../../src/domain/diff/fields.ts';
import { stepsOf } from '../../../src/domain/diff/pointer.ts';
import type { Json, JsonObject } from '../../../src/domain/diff/resource.ts';

const container = (change: Record<string, Json>) => ({
  containers: [{ name: 'app', image: 'api:1', ...change }],
});
const env = (...names: string[]) =>
  container({ env: names.map((name) => ({ name, value: name.toLowerCase() })) });

describe('fields that differ are told as people think of them:', () => {
  test.each<[string, JsonObject, JsonObject, FieldChange[]]>([
    ['nothing', { a: 1, b: [{}] }, { b: [{}], a: 1 }, []],
    [
      'a changed value',
      { spec: { replicas: 1 } },
      { spec: { replicas: 2 } },
      [{ pointer: '/spec/replicas', before: 1, after: 2 }],
    ],
    [
      'a variable inserted before others',
      env('A', 'C'),
      env('A', 'B', 'C'),
      [{ pointer: '/containers/app/env/B', after: { name: 'B', value: 'b' } }],
    ],
    [
      'a variable that is gone',
      env('A', 'B', 'C'),
      env('B', 'C'),
      [{ pointer: '/containers/app/env/A', before: { name: 'A', value: 'a' } }],
    ],
    [
      'variables in another order, since one may refer to one before it',
      env('A', 'B'),
      env('B', 'A'),
      [
        {
          pointer: '/containers/app/env',
          before: ['A', 'B'],
          after: ['B', 'A'],
          reordered: true,
        },
      ],
    ],
    [
      'a port by its number and protocol',
      { ports: [{ port: 53 }, { port: 53, protocol: 'UDP', name: 'dns' }] },
      { ports: [{ port: 53 }, { port: 53, protocol: 'UDP', name: 'dns-udp' }] },
      [{ pointer: '/ports/53-UDP/name', before: 'dns', after: 'dns-udp' }],
    ],
    [
      'a variable that stands twice, by position',
      env('A', 'A'),
      env('A', 'A', 'B'),
      [{ pointer: '/containers/app/env/2', after: { name: 'B', value: 'b' } }],
    ],
    [
      'an argument inserted in the middle',
      { args: ['serve', '--fast'] },
      { args: ['serve', '--port=1', '--fast'] },
      [{ pointer: '/args/1', after: '--port=1' }],
    ],
    [
      'a key with a slash',
      { labels: { 'a/b~c': 'x' } },
      { labels: {} },
      [{ pointer: '/labels/a~1b~0c', before: 'x' }],
    ],
    [
      'keys that every object inherits',
      { a: {} },
      { a: { constructor: 'x', toString: 'y' } },
      [
        { pointer: '/a/constructor', after: 'x' },
        { pointer: '/a/toString', after: 'y' },
      ],
    ],
  ])('%s', (_title, before, after, changes) => {
    expect(compareValues(before, after)).toEqual(changes);
  });

  test.each<[Json, Json]>([
    [1, '1'],
    [false, 'no'],
    ['1', '1000m'],
    [null, ''],
    [[], {}],
    [0, false],
  ])('%j and %j are different', (before, after) => {
    expect(compareValues({ v: before }, { v: after })).toEqual([{ pointer: '/v', before, after }]);
  });

  test('null and absent are different', () => {
    expect(compareValues({}, { v: null })).toEqual([{ pointer: '/v', after: null }]);
  });
});

// Keys such as `env` make lists be matched by name; these have none of them.
const key = fc.oneof(
  fc.constantFrom('a', 'b', 'c/d', '~', '', '__proto__', 'constructor', '0'),
  fc.string({ maxLength: 3 }),
);
const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<Json>(null, true, false, 0, 1, '1', '', 'no'),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
  ),
}));

describe('whatever the values,', () => {
  test('a value is equal to itself, and only changes make it another', () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        expect(compareValues(a, structuredClone(a))).toEqual([]);
        expect(canonical(applied(compareValues(a, b), a))).toEqual(canonical(b));
      }),
      { numRuns: 2_000 },
    );
  });

  test('nothing differs only where both are equal, also in lists of named things', () => {
    const name = fc.constantFrom('A', 'B', 'C');
    const list = fc.array(fc.record({ name, value }), { maxLength: 4 });
    fc.assert(
      fc.property(list, list, (a, b) => {
        const isSame = JSON.stringify(canonical(a)) === JSON.stringify(canonical(b));
        expect(compareValues({ env: a }, { env: b }).length === 0).toBe(isSame);
      }),
      { numRuns: 2_000 },
    );
  });
});

/** The value that the changes make of another. */
function applied(changes: readonly FieldChange[], to: Json): Json {
  let result = structuredClone(to) as unknown;
  const removals = changes.filter((change) => !('after' in change));
  const others = changes.filter((change) => 'after' in change);
  // From the end, so that positions stay what they were.
  for (const { pointer } of [...removals.reverse(), ...others]) {
    const change = others.find((other) => other.pointer === pointer);
    const steps = stepsOf(pointer);
    const last = steps.pop();
    if (last === undefined) {
      result = change?.after;
      continue;
    }
    const parent = steps.reduce((at, step) => Reflect.get(at as object, step) as unknown, result);
    if (!Array.isArray(parent)) {
      if (!change) Reflect.deleteProperty(parent as object, last);
      else
        Object.defineProperty(parent, last, {
          value: change.after,
          ...{ enumerable: true, configurable: true, writable: true },
        });
    } else if (!change) parent.splice(Number(last), 1);
    else parent.splice(Number(last), 'before' in change ? 1 : 0, change.after);
  }
  return result as Json;
}

/** The same text for the same content. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, item]) => [name, canonical(item)] as const);
  return { object: entries.sort(([a], [b]) => (a < b ? -1 : 1)) };
}
