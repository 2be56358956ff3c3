import { describe, expect, it } from 'vitest';
import { splitState } from '../../../src/domain/import/state-parts.ts';

describe('environments and releases in one part of a helmfile', () => {
  it('are split where they stand, with every other character kept', () => {
    const above =
      '# top\nhelmDefaults:\n  wait: true\n\nenvironments:\n  qa:\n    values: [a.yaml]\n\n';
    const below =
      '# what runs\nreleases:\n{{- range .Values.charts }}\n  - name: {{ .name }}\n{{- end }}\n';
    expect(splitState(above + below)).toEqual({ state: 'split', text: `${above}---\n${below}` });
    expect(splitState(`${above}---\n${below}`)).toEqual({ state: 'fine' });
  });

  it('keep the line ends of Windows', () => {
    const source = 'environments:\r\n  qa: {}\r\nreleases: []\r\n';
    const text = 'environments:\r\n  qa: {}\r\n---\r\nreleases: []\r\n';
    expect(splitState(source)).toEqual({ state: 'split', text });
  });

  it('take along the anchors that environments need, where the releases come first', () => {
    const source =
      'releases: []\ntemplates:\n  cs: &cs\n    values: [a.yaml]\nenvironments:\n  qa:\n    <<: *cs\n';
    const text =
      'templates:\n  cs: &cs\n    values: [a.yaml]\nenvironments:\n  qa:\n    <<: *cs\n---\nreleases: []\n';
    expect(splitState(source)).toEqual({ state: 'split', text });
  });

  it('move above what uses their values', () => {
    const source =
      'repositories:\n  - url: {{ .Values.url }}\nenvironments:\n  qa: {}\nreleases: []\n';
    const text =
      'environments:\n  qa: {}\n---\nrepositories:\n  - url: {{ .Values.url }}\nreleases: []\n';
    expect(splitState(source)).toEqual({ state: 'split', text });
  });

  it.each([
    ['an anchor that both use', 'environments:\n  qa: &a {}\nreleases: *a\n', 3],
    [
      'an action that spans both',
      '{{ if .x }}\nenvironments:\n  qa: {}\n{{ if .y }}\nreleases: []\n{{ end }}\n{{ end }}\n',
      2,
    ],
  ])('are left to a person with %s', (_, source, line) => {
    expect(splitState(source)).toMatchObject({ state: 'by-hand', line });
  });

  it.each(['', '# nothing\n', 'releases: []\n', 'environments: {}\n', 'text without keys'])(
    'are no matter in %j',
    (source) => {
      expect(splitState(source)).toEqual({ state: 'fine' });
    },
  );
});
