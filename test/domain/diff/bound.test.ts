import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joinDiffs, PLAN_DIFF_BYTES_MAX } from '../../../src/domain/diff/bound.ts';
import type { ResourceDiff, ServiceDiff } from '../../../src/domain/diff/plan-diff.ts';
import { renderPlanDiff } from '../../../src/domain/diff/render.ts';

function resource(change: Partial<ResourceDiff>): ResourceDiff {
  const id = { group: 'apps', kind: 'Deployment', namespace: 'cs-dev', name: 'api' };
  return { change: 'changed', ...id, fields: [], text: '', ...change };
}
const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
const field = (n: number) => ({ pointer: `/data/${n}`, before: n, after: n + 1 });

describe('the diff of a plan', () => {
  test('has the services that change, by name, and says that nothing is left out', () => {
    const resources = [resource({ fields: [field(1)], text: '@@ -1 +1 @@\n-1\n+2' })];
    const services = [
      { service: 'web', resources },
      { service: 'same', resources: [] },
      { service: 'api', resources },
    ];
    expect(joinDiffs(services)).toEqual({
      services: [
        { service: 'api', resources },
        { service: 'web', resources },
      ],
      truncated: { resources: 0, fields: 0, lines: 0 },
    });
  });

  test('stays within its size and names every resource before it tells more of one', () => {
    const large = resource({
      name: 'large',
      fields: Array.from({ length: 9_000 }, (_, n) => field(n)),
      text: Array.from({ length: 9_000 }, (_, n) => `+line ${n}`).join('\n'),
    });
    const small = resource({ name: 'small', fields: [field(1)], text: '+2' });
    const joined = joinDiffs([
      { service: 'a', resources: [large] },
      { service: 'b', resources: [small] },
    ]);
    expect(bytes(joined)).toBeLessThanOrEqual(PLAN_DIFF_BYTES_MAX);
    expect(joined.services[1]?.resources).toEqual([small]);
    const [cut] = joined.services[0]?.resources ?? [];
    expect(cut?.fields.length).toBeGreaterThan(100);
    expect(cut?.truncated?.fields).toBe(9_000 - (cut?.fields.length ?? 0));
    expect(joined.truncated).toEqual({ resources: 0, ...cut?.truncated });
    expect(renderPlanDiff(joined)).toMatch(/\n… \d+ lines left out: too much to show\n/);
  });

  test('says how many resources there was no room to name', () => {
    const resources = Array.from({ length: 5_000 }, (_, n) => resource({ name: `api-${n}` }));
    const joined = joinDiffs([{ service: 'a', resources }]);
    const named = joined.services[0]?.resources.length ?? 0;
    expect(named).toBeGreaterThan(1_000);
    expect(joined.truncated.resources).toBe(5_000 - named);
    expect(renderPlanDiff(joined)).toMatch(
      new RegExp(`\n… ${5_000 - named} resources left out: too much to show\n$`),
    );
  });

  test('keeps to any size, whatever there is to say', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constant('\ud800"\0é'));
    const fields = fc.array(fc.record({ pointer: text, after: text }), { maxLength: 8 });
    const changed = fc.record({ name: text, fields, text }).map(resource);
    const services: fc.Arbitrary<ServiceDiff[]> = fc.array(
      fc.record({ service: text, resources: fc.array(changed, { maxLength: 4 }) }),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(services, fc.integer({ min: 300, max: 3_000 }), (input, bytesMax) => {
        const joined = joinDiffs(input, bytesMax);
        expect(bytes(joined)).toBeLessThanOrEqual(bytesMax);
        const told = joined.services.flatMap(({ resources }) => resources);
        const all = input.flatMap(({ resources }) => resources);
        expect(told.length + joined.truncated.resources).toBe(all.length);
      }),
      { numRuns: 500 },
    );
  });
});
