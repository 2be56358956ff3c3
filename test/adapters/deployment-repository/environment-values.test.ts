import { describe, expect, it } from 'vitest';
import { environmentValues } from '../../../src/adapters/deployment-repository/environment-values.ts';

describe('the values files of environments, read without helmfile', () => {
  it('follows anchors and the part of the name that the repository cuts off', () => {
    const source = `
templates:
  cs: &cs
    values:
      - ./charts.yaml
      - ./environments/{{ regexReplaceAll "^(w|ho)?cs-" (.Environment.Name) "" }}/versions.yaml
environments:
  cs-qa:
    <<: *cs
  wcs-qa:
    <<: *cs
  plain:
    values: [environments/{{ .Environment.Name }}/versions.yaml]
releases:
{{- range .Values.charts }}
  - name: {{ .name }}
{{- end }}
`;
    const found = environmentValues(source);
    expect(found.get('cs-qa')).toEqual(['./charts.yaml', './environments/qa/versions.yaml']);
    expect(found.get('wcs-qa')).toEqual(['./charts.yaml', './environments/qa/versions.yaml']);
    expect(found.get('plain')).toEqual(['environments/plain/versions.yaml']);
  });

  it('does not guess what only helmfile can tell', () => {
    const source = 'environments:\n  qa:\n    values: ["{{ env `FOLDER` }}/versions.yaml"]\n';
    expect(environmentValues(source)).toEqual(new Map([['qa', undefined]]));
  });

  it('reads the first part of a file in parts', () => {
    const source = 'environments:\n  qa:\n    values: [a.yaml]\n---\nreleases: []\n';
    expect(environmentValues(source).get('qa')).toEqual(['a.yaml']);
  });
});
