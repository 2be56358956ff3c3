import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isList, isObject, type Json, type JsonObject } from '../../../src/domain/diff/resource.ts';
import { driftedFields, type LookedAt } from '../../../src/domain/drift/fields.ts';

/** Looks as the API server would: an apply sets what is declared, and keeps the rest. */
function look(declared: JsonObject, live: JsonObject, change: Partial<LookedAt> = {}): LookedAt {
  const applied = merged(live, declared) as JsonObject;
  return { kind: 'Deployment', declared, live, applied, autoscaled: false, ...change };
}

const container = (image: string, more: JsonObject = {}): JsonObject => ({
  spec: { template: { spec: { containers: [{ name: 'app', image, ...more }] } } },
});

describe('what somebody changed by hand', () => {
  test.each<[string, LookedAt, string[]]>([
    ['nothing', look(container('api:1'), container('api:1')), []],
    [
      'an image',
      look(container('api:1'), container('api:2')),
      ['/spec/template/spec/containers/app/image: "api:1" → "api:2"'],
    ],
    ['a default that the API server added', look({ spec: {} }, { spec: { type: 'x' } }), []],
    [
      'a variable that the manifest does not have',
      look(
        container('api:1', { env: [{ name: 'A', value: '1' }] }),
        container('api:1', {
          env: [
            { name: 'B', value: '2' },
            { name: 'A', value: '1' },
          ],
        }),
      ),
      [],
    ],
    [
      'a variable that it has',
      look(
        container('api:1', { env: [{ name: 'A', value: '1' }] }),
        container('api:1', { env: [{ name: 'A', value: '2' }] }),
      ),
      ['/spec/template/spec/containers/app/env/A/value: "1" → "2"'],
    ],
    [
      'arguments, which are one whole',
      look({ spec: { args: ['a'] } }, { spec: { args: ['a', 'b'] } }),
      ['/spec/args/1: undefined → "b"'],
    ],
    [
      'a label that it has, beside one that it has not',
      look(
        { metadata: { labels: { app: 'api' } } },
        { metadata: { labels: { app: 'web', team: 'x' } } },
      ),
      ['/metadata/labels/app: "api" → "web"'],
    ],
    [
      'a status, a generation and what the server keeps',
      {
        ...look({ metadata: { name: 'api' } }, { metadata: { name: 'api' } }),
        applied: { metadata: { name: 'api', generation: 3, managedFields: [1] }, status: { a: 1 } },
        live: { metadata: { name: 'api', generation: 2, managedFields: [] }, status: { a: 2 } },
      },
      [],
    ],
    [
      'a section that the manifest has not, which a webhook changes each time',
      {
        ...look({ spec: { a: 1 } }, { spec: { a: 1 } }),
        applied: { spec: { a: 1, injected: 'x' } },
        live: { spec: { a: 1, injected: 'y' } },
      },
      [],
    ],
  ])('%s', (_title, looked, told) => {
    const said = driftedFields(looked).map(
      ({ pointer, before, after }) =>
        `${pointer}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`,
    );
    expect(said).toEqual(told);
  });

  test('the order of its own entries, not of those that others added', () => {
    const env = (...names: string[]) =>
      container('api:1', { env: names.map((name) => ({ name, value: name })) });
    const looked = look(env('A', 'B'), env('B', 'X', 'A'));
    const inOrder = { ...looked, applied: env('A', 'B', 'X') };
    expect(driftedFields(inOrder)).toMatchObject([{ reordered: true }]);
    const added = { ...looked, live: env('X', 'A', 'B'), applied: env('A', 'B', 'X') };
    expect(driftedFields(added)).toEqual([]);
  });
});

describe('replicas', () => {
  const declared = { spec: { replicas: 2 } };
  const replicas = (count: number, annotations: JsonObject = {}) => ({
    metadata: { annotations },
    spec: { replicas: count },
  });
  const asleep = { 'downscaler/uptime': 'Mon-Fri 07:50-18:05 Europe/London' };
  test.each<[string, LookedAt, number]>([
    ['scaled by hand are drift', look(declared, replicas(5)), 1],
    ['scaled to zero by hand are drift', look(declared, replicas(0)), 1],
    ['asleep by schedule are none', look(declared, replicas(0, asleep)), 0],
    [
      'asleep by a schedule of the namespace are none',
      look(declared, replicas(0, { 'downscaler/original-replicas': '2' })),
      0,
    ],
    ['scaled by hand beside a schedule are drift', look(declared, replicas(5, asleep)), 1],
    ['of an autoscaler are none', look(declared, replicas(5), { autoscaled: true }), 0],
    [
      'an autoscaler owns nothing else',
      look(container('api:1'), container('api:2'), { autoscaled: true }),
      1,
    ],
    [
      'a CronJob that is suspended by schedule is none',
      look(
        { spec: { suspend: false } },
        { metadata: { annotations: asleep }, spec: { suspend: true } },
        { kind: 'CronJob' },
      ),
      0,
    ],
  ])('%s', (_title, looked, count) => {
    expect(driftedFields(looked)).toHaveLength(count);
  });
});

const key = fc.constantFrom('a', 'b', 'c', 'd');
const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<Json>(true, 0, 1, '1', 'x'),
    fc.array(fc.constantFrom<Json>(0, 1, 'x'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const spec = fc
  .dictionary(key, value, { maxKeys: 4, noNullPrototype: true })
  .map((content): JsonObject => ({ spec: content }));

describe('whatever is declared,', () => {
  test('what others set beside it is no drift', () => {
    fc.assert(
      fc.property(spec, spec, (declared, other) => {
        // Live is what the manifest says over anything else.
        const live = merged(other, declared) as JsonObject;
        expect(driftedFields(look(declared, live))).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  test('each of its values that was changed is told, with the old one and the new one', () => {
    fc.assert(
      fc.property(spec, spec, (declared, live) => {
        const fields = driftedFields(look(declared, live));
        const differs = JSON.stringify(merged(live, declared)) !== JSON.stringify(live);
        expect(fields.length > 0).toBe(differs);
      }),
      { numRuns: 1_000 },
    );
  });
});

/** Server-side apply in short: objects are merged, named entries too, all else is replaced. */
function merged(live: Json | undefined, declared: Json): Json {
  if (isObject(live) && isObject(declared)) {
    const result: Record<string, Json> = { ...live };
    for (const [name, item] of Object.entries(declared)) {
      result[name] = merged(Object.hasOwn(live, name) ? live[name] : undefined, item);
    }
    return result;
  }
  const nameOf = (item: Json) => (isObject(item) ? item['name'] : undefined);
  if (isList(live) && isList(declared) && declared.every((item) => nameOf(item) !== undefined)) {
    if (declared.length === 0) return declared;
    const own = new Map(declared.map((item) => [nameOf(item), item]));
    return live.map((item) => {
      const match = own.get(nameOf(item));
      return match === undefined ? item : merged(item, match);
    });
  }
  return declared;
}
