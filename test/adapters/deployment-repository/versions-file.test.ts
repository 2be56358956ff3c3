import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  readVersions,
  withVersions,
} from '../../../src/adapters/deployment-repository/versions-file.ts';

const FILE = 'environments/qa/versions.yaml';

function set(text: string, versions: Record<string, string>): string {
  return withVersions(text, readVersions(text, FILE), new Map(Object.entries(versions)));
}

describe('changing a version', () => {
  it.each([
    ['a plain one', 'versions:\n  api: 1.2.3 # keep\n', 'versions:\n  api: 1.2.4 # keep\n'],
    ['one in double quotes', 'versions:\n  api: "1.2.3"\n', 'versions:\n  api: "1.2.4"\n'],
    ['one in single quotes', "versions:\n  api: '1.2.3'\n", "versions:\n  api: '1.2.4'\n"],
    ['without the map `versions`', 'api: 1.2.3\n', 'api: 1.2.4\n'],
    ['in a flow map', '{ api: 1.2.3, web: 1 }\n', '{ api: 1.2.4, web: 1 }\n'],
    ['with a long key', '? api\n: 1.2.3\n', '? api\n: 1.2.4\n'],
    [
      'of a key without a value',
      'versions:\n  api:\n  web: 1.0\n',
      'versions:\n  api: 1.2.4\n  web: 1.0\n',
    ],
    ['with an anchor', 'api: &v 1.2.3\n', 'api: &v 1.2.4\n'],
    ['that is an alias', 'web: &v 1.2.3\napi: *v # same\n', 'web: &v 1.2.3\napi: 1.2.4 # same\n'],
    [
      'in a file of Windows',
      'versions:\r\n  api: 1.2.3\r\n\t# tab\r\n',
      'versions:\r\n  api: 1.2.4\r\n\t# tab\r\n',
    ],
    ['after a byte order mark', '\uFEFFversions:\n  api: 1.2.3', '\uFEFFversions:\n  api: 1.2.4'],
  ])('touches nothing else: %s', (_, before, after) => {
    expect(set(before, { api: '1.2.4' })).toBe(after);
  });

  it('writes a version in quotes where YAML would read a number', () => {
    expect(set('api: 3.9\n', { api: '3.10' })).toBe('api: "3.10"\n');
    expect(set('api: 3.9.0\n', { api: '1e3' })).toBe('api: "1e3"\n');
    // YAML 1.1, which Helm reads, knows more numbers than YAML 1.2.
    expect(set('api: 3.9.0\n', { api: '1_000' })).toBe('api: "1_000"\n');
  });

  it('leaves a version as it is written when nothing changes', () => {
    expect(set('api: 3.10\n', { api: '3.10' })).toBe('api: 3.10\n');
  });

  it('names the keys that follow an anchored version', () => {
    const [api] = readVersions('api: &v 1.2.3\nweb: *v\n', FILE);
    expect(api?.followers).toEqual(['web']);
  });

  it('changes only the versions that were named, whatever the file looks like', () => {
    const version = fc.stringMatching(/^[0-9a-zA-Z][\w.+-]{0,12}$/);
    const line = fc.record({
      key: fc.stringMatching(/^[a-zé][a-zé-]{0,8}[a-zé]$/),
      version,
      quote: fc.constantFrom('"', "'"),
      comment: fc.constantFrom('', ' # why: "1.2.3"', '   # \t naïve — ☃'),
      above: fc.constantFrom('', '\n', '# api: 9.9.9\n', '  \n'),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(line, { selector: ({ key }) => key, minLength: 1, maxLength: 8 }),
        version,
        fc.constantFrom('\n', '\r\n'),
        fc.nat(),
        (lines, to, lineEnd, pick) => {
          const chosen = lines[pick % lines.length]?.key ?? '';
          const write = (value: (key: string, own: string) => string) =>
            [
              'versions:\n',
              ...lines.map((each) => {
                const { above, key, quote, comment } = each;
                return `${above}  ${key}: ${quote}${value(key, each.version)}${quote}${comment}\n`;
              }),
            ]
              .join('')
              .replaceAll('\n', lineEnd);
          const once = set(
            write((_, own) => own),
            { [chosen]: to },
          );
          expect(once).toBe(write((key, own) => (key === chosen ? to : own)));
          expect(set(once, { [chosen]: to })).toBe(once);
          expect((parse(once) as { versions: Record<string, string> }).versions[chosen]).toBe(to);
        },
      ),
    );
  });
});

describe('a file that cannot be changed safely', () => {
  it.each([
    ['broken YAML', 'versions:\n  api: "1.2\n', /versions\.yaml:\d+ is not valid YAML/],
    ['a list', '- api\n', /holds no map of versions/],
    [
      'a map where a version belongs',
      'versions:\n  api:\n    tag: 1\n',
      /versions\.yaml:2: api is no version/,
    ],
    ['a version over several lines', 'api: |\n  1.2.3\n', /versions\.yaml:1: the value of api/],
    ['an alias of something else', 'x: &m 1\nversions:\n  api: *m\n', /versions\.yaml:3: .* alias/],
    ['the same key twice', 'api: 1\napi: 2\n', /versions\.yaml:2 is not valid YAML/],
  ])('is refused with file and line: %s', (_, text, message) => {
    expect(() => readVersions(text, FILE)).toThrow(message);
  });

  it('holds no versions when it is empty', () => {
    expect(readVersions('', FILE)).toEqual([]);
    expect(readVersions('# nothing yet\nversions:\n', FILE)).toEqual([]);
  });
});
