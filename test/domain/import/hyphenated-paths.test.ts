import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rewriteHyphenatedPaths } from '../../../src/domain/import/hyphenated-paths.ts';

const rewrite = (source: string) => rewriteHyphenatedPaths(source).text;

describe('field paths that Go templates refuse', () => {
  it.each([
    ['{{ .Values.versions.some-name }}', '{{ index .Values.versions "some-name" }}'],
    ['{{- .Values.a-b -}}', '{{- index .Values "a-b" -}}'],
    ['{{.Values.a-b}}', '{{index .Values "a-b"}}'],
    ['{{ .Values.a-b.c.d-e }}', '{{ index .Values "a-b" "c" "d-e" }}'],
    ['{{ .a-b | quote }}', '{{ index . "a-b" | quote }}'],
    ['{{ $.Values.a-b }}', '{{ index $.Values "a-b" }}'],
    ['{{ $x.a-b }}', '{{ index $x "a-b" }}'],
    ['{{ if .Values.a-b }}x{{ end }}', '{{ if index .Values "a-b" }}x{{ end }}'],
    [
      '{{ range $i, $v := .Values.a-b }}{{ end }}',
      '{{ range $i, $v := index .Values "a-b" }}{{ end }}',
    ],
    ['{{ default "1" .Values.a-b }}', '{{ default "1" (index .Values "a-b") }}'],
    ['{{ if and .Values.a-b .c }}{{ end }}', '{{ if and (index .Values "a-b") .c }}{{ end }}'],
    ['{{ (.Values.a-b) }}', '{{ (index .Values "a-b") }}'],
    ['{{ .Values.naïve-ü }}', '{{ index .Values "naïve-ü" }}'],
  ])('%s', (before, after) => {
    expect(rewrite(before)).toBe(after);
    expect(rewrite(after)).toBe(after);
  });

  it.each([
    'a-b: .Values.a-b # {{ .x }}',
    '{{ "a .Values.a-b" }}',
    '{{ `.Values.a-b` }}',
    '{{/* .Values.a-b */}}',
    '{{ index .Values.versions "some-name" }}',
    '{{ sub 3 -1 }}',
    '{{- .x -}}',
    '{{ .Values.a-b',
  ])('leaves alone what is none: %s', (source) => {
    expect(rewrite(source)).toBe(source);
  });

  it('says where it changed what, and where it could not', () => {
    const { changes, left } = rewriteHyphenatedPaths('a\n{{ .x.a-b }}\n{{ (get .x "y").a-b }}');
    expect(changes).toEqual([{ line: 2, from: '.x.a-b', to: 'index .x "a-b"' }]);
    expect(left).toEqual([{ line: 3, path: ').a-b' }]);
  });

  it('changes nothing outside of actions, nothing twice, and only what has a hyphen', () => {
    const piece = fc.constantFrom(
      ...['{{ .a.b }}', '{{ .a.b-c }}', '{{- if eq .x.y-z "p-q" -}}', '{{ end }}'],
      ...['text .a-b\r\n', '"{ }"\t', '{{/* .c-d */}}', '{{ `{{ .e-f }}` }}', 'ü\n', '}} {'],
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const source = pieces.join('');
        const once = rewrite(source);
        expect(rewrite(once)).toBe(once);
        const shown = (text: string) => text.replaceAll(/\(?index (\S+) "(\S+?)"\)?/g, '$1.$2');
        expect(shown(once)).toBe(source);
      }),
    );
  });
});
