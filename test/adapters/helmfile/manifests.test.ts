import fc from 'fast-check';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseManifests } from '../../../src/adapters/helmfile/manifests.ts';
import { run } from '../../../src/adapters/process/run.ts';
import { ensureTools } from '../../../src/adapters/tools/ensure-tools.ts';
import { printResource } from '../../../src/domain/diff/print.ts';
import type { Json } from '../../../src/domain/diff/resource.ts';
import { SlipwayError } from '../../../src/domain/errors.ts';

const head = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n';

function valueOf(text: string): unknown {
  return parseManifests(`${head}v: ${text}`)[0]?.content.v;
}

describe('a manifest is read as Helm reads it', () => {
  // As Helm 4.3.1 answers for `fromYaml | toJson` of the same text.
  test.each<[string, unknown]>([
    ['no', false],
    ['"no"', 'no'],
    ['y', true],
    ['Off', false],
    ['yEs', 'yEs'],
    ['~', null],
    ['', null],
    ['012', 10],
    ['-012', -10],
    ['0o14', 12],
    ['08', 8],
    ['0x1F', 31],
    ['0b11', 3],
    ['1_000', 1000],
    ['1e3', 1000],
    ['1.0', 1],
    ['.5', 0.5],
    ['1:30', '1:30'],
    ['1:30:00.5', '1:30:00.5'],
    ['2001-12-14', '2001-12-14'],
    ['2001-12-14t21:59:43.10-05:00', '2001-12-14t21:59:43.10-05:00'],
    ['=', '='],
    ['5e', '5e'],
    ['e1', 'e1'],
    ['6e862', '6e862'],
    ['.', '.'],
    ['!!str 12', '12'],
  ])('%s is %j', (text, value) => {
    expect(valueOf(text)).toEqual(value);
  });

  test('whole numbers that only differ where doubles end stay different', () => {
    expect(valueOf('9007199254740993')).not.toEqual(valueOf('9007199254740992'));
    expect(valueOf('9007199254740993')).not.toEqual(valueOf('"9007199254740993"'));
  });

  test('of a key that stands twice the last one counts', () => {
    expect(valueOf('1\nv: 2')).toBe(2);
  });

  test('a merged mapping is part of what merges it', () => {
    expect(valueOf('&base { a: 1, b: 1 }\nw: { <<: *base, b: 2 }')).toEqual({ a: 1, b: 1 });
    const [resource] = parseManifests(`${head}v: &b { a: 1, b: 1 }\nw: { <<: *b, b: 2 }`);
    expect(resource?.content.w).toEqual({ a: 1, b: 2 });
  });
});

/** What helm makes of texts, each the value of a key. */
async function askHelm(texts: readonly string[]): Promise<unknown[]> {
  const { helm } = await ensureTools(['helm']);
  const folder = await mkdtemp(join(tmpdir(), 'slipway-yaml-'));
  try {
    await mkdir(join(folder, 'templates'));
    await writeFile(join(folder, 'Chart.yaml'), 'apiVersion: v2\nname: yaml\nversion: 1.0.0\n');
    await writeFile(join(folder, 'texts'), texts.map((text, n) => `k${n}: ${text}\n`).join(''));
    const template = '# {{ .Files.Get "texts" | fromYaml | toJson }}\na: b\n';
    await writeFile(join(folder, 'templates/a.yaml'), template);
    const env = { HOME: folder, PATH: '/usr/bin:/bin' };
    const { stdout } = await run(helm, ['template', 'a', folder], { env, cwd: folder });
    const answer = JSON.parse(/^# (\{.*)$/m.exec(stdout)?.[1] ?? '') as Record<string, unknown>;
    return texts.map((_, n) => answer[`k${n}`]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('what looks like a number is one only where it is for the real helm', async () => {
  const unit = fc.constantFrom(...'0123456789eExXobB+-:ynYNaT'.split(''));
  const number = fc.oneof(
    fc.string({ unit, minLength: 1, maxLength: 7 }),
    fc
      .tuple(fc.nat(99), fc.constantFrom('.', 'e', ':', '_', 'E+'), fc.nat(999))
      .map((of) => of.join('')),
  );
  const texts = fc.uniqueArray(
    number.filter((text) => !/^[-?:]|[:]$/.test(text)),
    { minLength: 500, maxLength: 500, size: 'max' },
  );
  await fc.assert(
    fc.asyncProperty(texts, async (sample) => {
      expect(sample.map((text) => [text, valueOf(text)])).toEqual(
        (await askHelm(sample)).map((value, n) => [sample[n], value]),
      );
    }),
    { numRuns: 3, endOnFailure: true },
  );
});

describe('the resources of a manifest', () => {
  test('are known by group, kind, namespace and name, with the template that they came from', () => {
    const text = [
      '# comment before everything',
      '---',
      '# Source: api/charts/db/templates/set.yaml',
      'apiVersion: apps/v1\nkind: StatefulSet\nmetadata: { name: db, namespace: own }',
      '--- # only a comment follows',
      '# nothing',
      '---',
      '',
      '---',
      'apiVersion: v1\nkind: Service\nmetadata: { name: db }',
      'text: |',
      '  --- # Source: inside',
      '  ---',
    ].join('\n');
    expect(parseManifests(text, 'cs-dev')).toMatchObject([
      {
        ...{ group: 'apps', kind: 'StatefulSet', namespace: 'own', name: 'db' },
        origin: 'api/charts/db/templates/set.yaml',
      },
      { group: '', kind: 'Service', namespace: 'cs-dev', name: 'db' },
    ]);
  });

  test('are those in a List, too', () => {
    const item = (name: string) => `{ apiVersion: v1, kind: Secret, metadata: { name: ${name} } }`;
    const nested = `{ apiVersion: v1, kind: List, items: [${item('b')}] }`;
    const text = `apiVersion: v1\nkind: List\nitems: [${item('a')}, ${nested}]`;
    expect(parseManifests(text).map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test('are none in an empty manifest', () => {
    for (const text of ['', '\n', '---\n', '# nothing\n---\n\n', '---\nnull\n']) {
      expect(parseManifests(text)).toEqual([]);
    }
  });

  test.each([
    ['---\n# Source: a/b.yaml\nkey: "password-in-the-text', 'a/b.yaml: MISSING_CHAR in line 2'],
    ['---\n# Source: a/b.yaml\npassword-in-the-text\n', 'a/b.yaml: a document is not an object'],
    ['---\npassword: in-the-text\n', 'a resource has no apiVersion or no kind'],
    ['---\npassword: *in-the-text\n', 'an alias cannot be followed'],
  ])('that cannot be read are named without showing what stands there: %j', (text, message) => {
    const read = () => parseManifests(text);
    expect(read).toThrow(SlipwayError);
    expect(read).toThrow(message);
    expect(read).not.toThrow(/in-the-text/);
  });
});

describe('a printed resource', () => {
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<Json>(null, true, 'no', '1', '-', 'a: b', 'a\nb\n', ' a\nb', 'a\n\n', '# a'),
      fc.string({ unit: 'grapheme-ascii' }),
      fc.string({ unit: fc.constantFrom('a', ' ', '\n', ':', '#', '-', '"', '\t', 'é') }),
      fc.integer(),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.string({ maxLength: 5 }), tie('value'), { maxKeys: 4 }),
    ),
  }));

  test('reads as what was printed, whatever it holds', () => {
    fc.assert(
      fc.property(value, (v) => {
        const content = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, v };
        const lines = printResource(
          content,
          (_steps, shown) => shown,
          (key) => key,
        );
        const text = lines.map((line) => line.text).join('\n');
        const [read] = parseManifests(`${text}\n`);
        expect(JSON.parse(JSON.stringify(read?.content))).toEqual(
          JSON.parse(JSON.stringify(content)),
        );
      }),
      { numRuns: 1_000 },
    );
  });
});
