import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modernState } from '../../../src/domain/import/state-files.ts';
import { noteInWords } from '../../../src/domain/import/note.ts';

type Files = Readonly<Record<string, string>>;

const propose = (files: Files) => modernState(new Map(Object.entries(files)));

/** The files as they are after the change. */
function imported(files: Files): Record<string, string> {
  const after = new Map(Object.entries(files));
  for (const { path = '', newPath, after: text } of propose(files).changes) {
    after.delete(path);
    after.set(newPath, text);
  }
  return Object.fromEntries(after);
}

const notes = (files: Files) => propose(files).notes.map(noteInWords);

const TEMPLATE = 'releases:\n{{ range .Values.x }}\n- name: {{ . }}\n{{ end }}\n';

describe('a repository of helmfile 0', () => {
  it('gets its parts, the names of its templates with every mention, and index', () => {
    const files = {
      'helmfile.yaml': `environments:\n  qa: { values: [values.yaml] }\n${TEMPLATE}`,
      'values.yaml': 'x: "{{ .not.a-template }}"\n',
      'values/web.yaml.gotmpl': 'version: {{ .Values.versions.the-web }}\n',
      'README.md': 'See `helmfile.yaml`, ./helmfile.yaml and myhelmfile.yaml.\n',
      'deploy.sh': 'helmfile -f ../x/helmfile.yaml -f helmfile.yaml apply\n',
      'docs/helmfile.yaml.md': 'https://example.org/helmfile.yaml\n',
    };
    expect(imported(files)).toEqual({
      ...files,
      'helmfile.yaml': undefined,
      'helmfile.yaml.gotmpl': `environments:\n  qa: { values: [values.yaml] }\n---\n${TEMPLATE}`,
      'values/web.yaml.gotmpl': 'version: {{ index .Values.versions "the-web" }}\n',
      'README.md': 'See `helmfile.yaml.gotmpl`, ./helmfile.yaml.gotmpl and myhelmfile.yaml.\n',
      'deploy.sh': 'helmfile -f ../x/helmfile.yaml -f helmfile.yaml.gotmpl apply\n',
    });
  });

  it('renames bases and further helmfiles too, where they are templates', () => {
    const files = {
      'helmfile.yaml':
        'bases:\n  - "bases/all.yaml" # all\nhelmfiles:\n# two\n  - path: a/b.yaml\n  - c.yaml\n',
      'bases/all.yaml': 'helmDefaults:\n  wait: {{ true }}\n',
      'a/b.yaml': `bases: \n- ../bases/all.yaml\n---\n${TEMPLATE}`,
      'c.yaml': 'releases: []\n',
    };
    expect(imported(files)).toEqual({
      'helmfile.yaml':
        'bases:\n  - "bases/all.yaml.gotmpl" # all\nhelmfiles:\n# two\n  - path: a/b.yaml.gotmpl\n  - c.yaml\n',
      'bases/all.yaml.gotmpl': files['bases/all.yaml'],
      'a/b.yaml.gotmpl': `bases: \n- ../bases/all.yaml.gotmpl\n---\n${TEMPLATE}`,
      'c.yaml': files['c.yaml'],
    });
  });

  it('takes a path from its own folder before the root', () => {
    const files = {
      'helmfile.yaml': TEMPLATE,
      'sub/helmfile.yaml': 'releases: []\n',
      'sub/run.sh': 'helmfile -f helmfile.yaml list\n',
      'other/run.sh': 'helmfile -f helmfile.yaml list\n',
    };
    expect(propose(files).changes.map(({ newPath }) => newPath)).toEqual([
      'helmfile.yaml.gotmpl',
      'other/run.sh',
    ]);
  });

  it('is told what only a person can do, with the lines as they are now', () => {
    const computed = {
      'helmfile.yaml': `helmfiles:\n- path: apps/*.yaml\nenvironments: {}\n${TEMPLATE}`,
      'run.sh': '\nhelmfile -f $ROOT/helmfile.yaml apply\n',
      'v.yaml.gotmpl': 'a: {{ (index .Values "x").b-c }}\n',
    };
    expect(notes(computed)).toEqual([
      'helmfile.yaml:2: the pattern apps/*.yaml must fit files called .gotmpl too',
      'run.sh:2: helmfile.yaml may be called helmfile.yaml.gotmpl here: its path begins with a variable',
      'v.yaml.gotmpl:1: Go templates refuse the hyphen in ).b-c; write it with index',
    ]);
    const taken = { 'helmfile.yaml': TEMPLATE, 'helmfile.yaml.gotmpl': TEMPLATE };
    expect(propose(taken)).toMatchObject({ changes: [], notes: [{ file: 'helmfile.yaml' }] });
  });
});

it.each([
  ['nothing', ''],
  ['a comment', '# nothing\n'],
  ['no template', 'environments: { qa: {} }\n---\nreleases: []\n'],
  [
    'templates that helmfile 1 alone understands',
    'templates:\n  a: { values: ["{{ .Release.Name }}.yaml"] }\n',
  ],
])('a helmfile with %s stays as it is', (_what, text) => {
  expect(propose({ 'helmfile.yaml': text })).toEqual({ changes: [], notes: [] });
});

describe('whatever the files hold', () => {
  const line = fc.constantFrom(
    ...[
      '# comment\twith a tab é',
      'environments:',
      'releases:',
      '  qa: &qa',
      '    values: [a.yaml]',
    ],
    ...[
      '  wcs: { <<: *qa }',
      '{{- range .Values.charts }}',
      '- name: {{ .a-b }}',
      '{{- end }}',
      '',
    ],
    ...['? multi', '  line', ': value', '---', 'key: "é {{ .x.y-z }}"', 'helmfiles:', '- b.yaml'],
    ...['see helmfile.yaml', 'templates: {}', "'quoted': helmfile.yaml", 'repositories:'],
  );
  const text = fc
    .tuple(fc.array(line, { maxLength: 12 }), fc.constantFrom('\n', '\r\n'), fc.boolean())
    .map(([lines, end, ends]) => lines.join(end) + (ends ? end : ''));
  const files = fc.record({
    'helmfile.yaml': text,
    'b.yaml': text,
    'values/web.yaml.gotmpl': text,
    'README.md': text,
  });

  it('a second run changes nothing', () => {
    fc.assert(
      fc.property(files, (before) => {
        const after = imported(before);
        expect(propose(after).changes).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('every line stays, but for names, index and the mark between parts', () => {
    const plain = (content: string) =>
      content
        .split(/(?<=\n)/)
        .map((one) => one.replace(/\r?\n$/, ''))
        .filter((one) => one !== '---' && one !== '')
        .map((one) => one.replaceAll(/\(?index (\S*?)\.? "([^"]+)"\)?/g, '$1.$2'))
        .map((one) => one.replaceAll('.yaml.gotmpl', '.yaml'))
        .sort();
    const ends = (content: string) => new Set(content.match(/\r?\n/g));
    fc.assert(
      fc.property(files, (before) => {
        const after = imported(before);
        for (const [path, content] of Object.entries(before)) {
          const now = after[path] ?? after[`${path}.gotmpl`] ?? '';
          expect(plain(now)).toEqual(plain(content));
          expect([...ends(content), '\n']).toEqual(expect.arrayContaining([...ends(now)]));
        }
      }),
      { numRuns: 500 },
    );
  });
});
