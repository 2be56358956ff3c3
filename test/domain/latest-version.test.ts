import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { latestVersion } from '../../src/domain/latest-version.ts';
import { compareVersions, parseVersion } from '../../src/domain/semantic-version.ts';

describe('the latest version', () => {
  it.each<[why: string, current: string, tags: string[], expected: string]>([
    ['is the newest by its numbers', '1.9.0', ['1.9.0', '1.10.0', '1.2.0'], '1.10.0'],
    ['stays in the major version', '1.9.0', ['2.0.0', '1.9.1'], '1.9.1'],
    [
      'is no pre-release, and no variant',
      '1.0.0',
      ['1.0.0', '1.1.0-rc.1', '1.2.0-alpine'],
      '1.0.0',
    ],
    ['is never an older one', '1.5.0', ['1.4.0'], '1.5.0'],
    ['follows a pre-release that came out', '1.5.0-rc.2', ['1.5.0'], '1.5.0'],
    [
      'does not care for other tags',
      '1.0.0',
      ['latest', 'main', '1.2', 'sha-1.9.9', '1.0.1'],
      '1.0.1',
    ],
    ['is spelled as the current one is', 'v1.0.0', ['1.1.0', 'v1.1.0'], 'v1.1.0'],
    ['exists, also where the spelling differs', '1.0.0', ['v1.1.0'], 'v1.1.0'],
    ['is any where there is none yet', '', ['1.0.0', '2.0.0'], '2.0.0'],
  ])('%s', (_why, current, tags, expected) => {
    expect(latestVersion('api', current, tags, false).version).toBe(expected);
  });

  it('tells of a later major version, which is taken where that is allowed', () => {
    const tags = ['1.1.0', '3.0.0', '2.0.0'];
    expect(latestVersion('api', '1.0.0', tags, false)).toEqual({
      version: '1.1.0',
      laterMajor: '3.0.0',
    });
    expect(latestVersion('api', '1.0.0', tags, true)).toEqual({ version: '3.0.0' });
  });

  it('is refused where no tag is a version, or the current one has no major version', () => {
    expect(() => latestVersion('api', '1.0.0', ['latest'], false)).toThrow(
      'None of the 1 tags of api is a version such as 1.2.3.',
    );
    expect(() => latestVersion('api', 'build-7', ['1.0.0'], false)).toThrow(/--allow-major/);
    expect(latestVersion('api', 'build-7', ['1.0.0'], true).version).toBe('1.0.0');
  });

  test('has no newer one beside it, whatever the tags', () => {
    const number = fc.nat({ max: 12 });
    const version = fc.tuple(number, number, number).map((parts) => parts.join('.'));
    const order = (a: string, b: string) => {
      const [left, right] = [parseVersion(a), parseVersion(b)];
      if (!left || !right) throw new Error('the generator makes versions only');
      return compareVersions(left, right);
    };
    fc.assert(
      fc.property(version, fc.array(version, { minLength: 1 }), (current, tags) => {
        const { version: best } = latestVersion('api', current, tags, false);
        const major = (text: string) => text.split('.')[0];
        expect(order(best, current)).toBeGreaterThanOrEqual(0);
        expect(major(best)).toBe(major(current));
        for (const tag of tags) {
          if (major(tag) === major(current)) expect(order(best, tag)).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});
