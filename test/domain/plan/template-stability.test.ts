import { describe, expect, it } from 'vitest';
import { evaluatesAlike } from '../../../src/domain/plan/template-stability.ts';

describe('a file of a repository', () => {
  it.each([
    ['is plain YAML', 'versions:\n  api: 1.2.3\n'],
    ['names what others call keys', 'secretsManager: now\nuuid: randAlpha\n'],
    ['reads values', '{{- range $name, $it := .Values.services }}\n- {{ $name | quote }}{{ end }}'],
    ['has fields called like functions', 'at: {{ .Values.now }} {{ $.Values.keys.values }}'],
    ['reads the configured variables', 'url: {{ requiredEnv "CHART_REPOSITORY_URL" | quote }}'],
    ['uses text functions', '{{ regexReplaceAll "^w?cs-" .Environment.Name "" | trunc 20 }}'],
    ['uses a function name in a text', '{{ default "now" .Values.when }}'],
    ['has a comment', '{{- /* the time is now */ -}}'],
    ['opens and closes a mapping', 'a: { b: { c: 1 } }'],
  ])('that %s evaluates alike each time', (_, text) => {
    expect(evaluatesAlike(text)).toBe(true);
  });

  it.each([
    ['asks for the time', 'at: {{ now | date "2006" }}'],
    ['asks for the time deep inside', '{{ if (eq (now | unixEpoch) "1") }}x{{ end }}'],
    ['draws at random', 'password: {{ randAlphaNum 20 }}'],
    ['makes a certificate', '{{ $ca := genCA "ca" 365 }}'],
    ['hashes with a salt', '{{ htpasswd "a" "b" }}'],
    ['lists keys in any order', '{{ keys .Values.services | join "," }}'],
    ['evaluates a text', '{{ tpl .Values.text . }}'],
    ['runs a program', '{{ exec "date" (list) }}'],
    ['reads a file', '{{ readFile "../else" }}'],
    ['asks the network', '{{ getHostByName "example.org" }}'],
    ['fetches a secret', '{{ fetchSecretValue "ref+vault://a" }}'],
    ['refers to a secret', 'password: ref+vault://path#/key'],
    ['puts a reference together', '{{ printf "ref%s" "+vault://path" }}'],
    ['puts a reference together of pieces', '{{ printf "r%s" "ef+vault" }}'],
    ['names encrypted files', 'releases:\n  - name: api\n    secrets: [secrets.yaml]\n'],
    ['uses a function that nobody knows', '{{ somethingNew 1 }}'],
    ['hides an action behind a text', '{{ "}}" | trim }}{{ now }}'],
    ['hides an action behind a text alone', '{{ "}}" | now }}'],
    ['hides an action behind a quote in a comment', '{{/* " */}}{{ now }}{{/* " */}}'],
    ['writes an action for the next evaluation', 'x: {{ `{{ now }}` }}'],
    ['writes an action in pieces', '{{ print "{" }}{ now }}'],
    ['leaves an action open', 'x: {{ now'],
  ])('that %s is not sure to', (_, text) => {
    expect(evaluatesAlike(text)).toBe(false);
  });
});
