import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRedactor } from '../../src/domain/redact.ts';
// Written by Go's own packages: fmt, encoding/json, encoding/xml, html, net/url and go-yaml.
import goForms from '../fixtures/go-forms.json' with { type: 'json' };

const MASK = '‹masked›';

describe('a secret is hidden in every form that a tool may print', () => {
  test.each(goForms.map(({ secret, forms }) => [secret, forms] as const))(
    'Go: %j',
    (secret, all) => {
      const { text } = createRedactor([secret]);
      for (const [name, form] of Object.entries(all)) {
        const frame =
          {
            path: /^https:\/\/h\/(\.\/)?‹masked›$/,
            password: /^https:\/\/user:‹masked›@h$/,
            yaml: /^value: ((["']?)‹masked›\2|\|[-+\d]*(\n +‹masked›)+)\n*$/,
          }[name] ?? /^("?)‹masked›\1$/;
        expect(text(form), name).toMatch(frame);
      }
    },
  );

  const value = 'p@ss/wörd+"1\' <&>';
  const forms = {
    'JSON, ASCII only': 'p@ss/w\\u00f6rd+\\"1\' <&>',
    'JSON, slashes too': 'p@ss\\/wörd+\\"1\' <&>',
    'single-quoted YAML': "p@ss/wörd+\"1'' <&>",
    'a shell’s quotes': "p@ss/wörd+\"1'\\'' <&>",
    'XML with names': 'p@ss/wörd+&quot;1&apos; &lt;&amp;&gt;',
    'a URL by encodeURIComponent': encodeURIComponent(value),
    'a URL in lower case': encodeURIComponent(value).replace(/%../g, (it) => it.toLowerCase()),
    'a whole URL': encodeURI(value),
    'a form': new URLSearchParams({ '': value }).toString().slice(1),
  };
  test.each(Object.entries(forms))('%s', (_name, form) => {
    expect(createRedactor([value]).text(`before ${form} after`)).toBe(`before ${MASK} after`);
  });
});

const unit = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...Array.from('abAB01+/="\'\\&<% \n')) },
  { weight: 1, arbitrary: fc.constantFrom('é', '€', '😀', '\t', '\x00', '\u2028') },
);
const secrets = fc
  .array(unit, { minLength: 8, maxLength: 60 })
  .map((units) => units.join(''))
  .filter((text) => Buffer.byteLength(text.trim()) >= 8);
/** What surrounds a secret has nothing in common with any, so that only it can be hidden. */
const surroundings = fc
  .array(fc.constantFrom(...Array.from('xyzXYZ789_:;,.\n')), { maxLength: 40 })
  .map((units) => units.join(''));

test('base64 hides a secret wherever it stands in what was encoded', () => {
  fc.assert(
    fc.property(secrets, surroundings, surroundings, (secret, before, after) => {
      const whole = Buffer.from(`${before}${secret}${after}`);
      for (const encoding of ['base64', 'base64url'] as const) {
        const hidden = createRedactor([secret]).text(whole.toString(encoding));
        const [head = '', tail = '', ...more] = hidden.split(MASK);
        expect(more).toEqual([]);
        expect(hidden).toContain(MASK);
        // What still shows decodes to the surroundings, and at most to the bits of one byte more.
        const shown = Buffer.from(head, 'base64').length + Buffer.from(tail, 'base64').length;
        expect(shown).toBeLessThanOrEqual(Buffer.byteLength(before + after) + 2);
      }
    }),
  );
});

test('hex hides a secret, and so does the text itself, and nothing else changes', () => {
  fc.assert(
    fc.property(secrets, surroundings, surroundings, (secret, before, after) => {
      const { text } = createRedactor([secret]);
      expect(text(`${before}${secret}${after}`)).toBe(`${before}${MASK}${after}`);
      const inHex = Buffer.from(secret).toString('hex');
      expect(text(`${before}${inHex}${after}`)).toBe(`${before}${MASK}${after}`);
    }),
  );
});

describe('text in chunks', () => {
  const ansi = fc.constantFrom('\x1b[31m', '\x1b[0m', '\x1b]8;;https://x\x07', '\x1b[1;3', '\x1b');
  const pieces = fc.array(secrets, { minLength: 1, maxLength: 4 }).chain((values) =>
    fc.record({
      values: fc.constant(values),
      text: fc
        .array(
          fc.oneof(
            fc.constantFrom(...values),
            fc.constantFrom(...values).map((value) => Buffer.from(value).toString('base64')),
            fc.constantFrom(...values).map((value) => value.slice(0, -1)),
            fc.constantFrom(...values).map((value) => value.slice(1)),
            fc.constantFrom(...values).map((value) => Array.from(value).join('\x1b[1m')),
            ansi,
            surroundings,
          ),
          { maxLength: 12 },
        )
        .map((parts) => parts.join('')),
    }),
  );

  test('is hidden as the whole text would be, wherever the borders lie', () => {
    fc.assert(
      fc.property(pieces, fc.array(fc.integer({ min: 1, max: 30 })), ({ values, text }, sizes) => {
        const redactor = createRedactor(values);
        const stream = redactor.stream();
        let output = '';
        let at = 0;
        for (const size of [...sizes, text.length]) {
          output += stream.write(text.slice(at, at + size));
          at += size;
        }
        expect(output + stream.end()).toBe(redactor.text(text));
      }),
      { numRuns: 300 },
    );
  });

  test('keeps no secret, and hiding it again changes nothing', () => {
    fc.assert(
      fc.property(pieces, ({ values, text }) => {
        const redactor = createRedactor(values);
        const once = redactor.text(text);
        for (const value of values) expect(once.includes(value)).toBe(false);
        expect(redactor.text(once)).toBe(once);
      }),
    );
  });

  test('is shown at once unless it may be the beginning of a secret', () => {
    const stream = createRedactor(['correct horse battery staple']).stream();
    expect(stream.write('pulling the image\n')).toBe('pulling the image\n');
    expect(stream.write('the corr')).toBe('the ');
    expect(stream.write('ection\n\x1b[32mdone\x1b[0m\n')).toBe('correction\n\x1b[32mdone\x1b[0m\n');
    expect(stream.write('correct horse ')).toBe('');
    expect(stream.write('battery staple')).toBe(MASK);
    expect(stream.end()).toBe('');
  });
});

test('colours between the letters of a secret do not show it, others stay', () => {
  const { text } = createRedactor(['hunter2-hunter2']);
  const coloured = '\x1b[32m+ password: hunter2\x1b[0m\x1b[1m-hunter2\x1b[0m ok';
  expect(text(coloured)).toBe(`\x1b[32m+ password: ${MASK}\x1b[0m ok`);
  expect(text('\x1b]8;;https://hunter2-hunter2@h\x07link')).toBe(
    `\x1b]8;;https://${MASK}@h\x07link`,
  );
});

describe('a secret of several lines', () => {
  const key = ['-----BEGIN KEY-----', 'first-line-of-key', 'short', '-----END KEY-----'].join('\n');
  const { text } = createRedactor([key]);

  test('is hidden whole', () => {
    expect(text(`<${key}>`)).toBe(`<${MASK}>`);
    expect(text(`<${key.replaceAll('\n', '\r\n')}>`)).toBe(`<${MASK}>`);
    expect(text(JSON.stringify({ key }))).toBe(`{"key":"${MASK}"}`);
  });

  test('and line by line, however it is indented, but for the frame that every key has', () => {
    expect(text('    first-line-of-key\n')).toBe(`    ${MASK}\n`);
    expect(text('-----BEGIN KEY-----')).toBe('-----BEGIN KEY-----');
  });
});

test('secrets that overlap or touch show no part of the other', () => {
  const { text } = createRedactor(['abcdefgh-shared-', '-shared-ijklmnop', 'abcdefgh']);
  expect(text('<abcdefgh-shared-ijklmnop>')).toBe(`<${MASK}>`);
  expect(text('<abcdefgh-other>')).toBe(`<${MASK}-other>`);
});

test('eight bytes are enough, also of few letters; fewer are left alone', () => {
  const { text } = createRedactor(['12345678', '秘密鍵', 'short', '']);
  expect(text('<12345678> <秘密鍵> short')).toBe(`<${MASK}> <${MASK}> short`);
});

test('without secrets nothing changes', () => {
  const { text, stream } = createRedactor([]);
  expect(text('nothing to hide')).toBe('nothing to hide');
  const all = stream();
  expect(all.write('nothing to hide') + all.end()).toBe('nothing to hide');
});
