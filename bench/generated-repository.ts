import { stringify } from 'yaml';

const CHARTS = ['example-api', 'example-audit', 'example-frontend', 'example-worker'];

/** Names of the services of a generated repository, in order. */
export function serviceNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `service-${String(index).padStart(3, '0')}`);
}

/** A deployment repository as the template makes it, with this many services of the example charts. */
export function generatedRepository(environment: string, count: number): Record<string, string> {
  const names = serviceNames(count);
  const charts = names.map((name, index) => {
    const chart = `charts/${CHARTS[index % CHARTS.length] ?? ''}`;
    return [name, { chart, version: '^1.0.0' }] as const;
  });
  return {
    'helmfile.yaml.gotmpl': `environments:
  ${environment}:
    values: [charts.yaml, versions.yaml, environment.yaml]
---
helmDefaults: { wait: true, timeout: 600, historyMax: 10, createNamespace: false }
repositories:
  - { name: charts, url: {{ requiredEnv "CHART_REPOSITORY_URL" | quote }} }
releases:
{{- range $name, $service := .Values.charts }}
  - name: {{ $name }}
    namespace: {{ $.Environment.Name }}
    chart: {{ $service.chart }}
    version: {{ $service.version | quote }}
    values: [values/{{ $name }}.yaml.gotmpl]
{{- end }}
`,
    'charts.yaml': stringify({ charts: Object.fromEntries(charts) }),
    'environment.yaml': stringify({ host: 'cs.bench.example.org', replicas: 1 }),
    'versions.yaml': versionsFile(names, '1.0.0'),
    ...Object.fromEntries(
      names.map((name) => [`values/${name}.yaml.gotmpl`, valuesFile(name)] as const),
    ),
  };
}

/** The file that says which version of each service runs; `changed` has another one for some. */
export function versionsFile(
  names: readonly string[],
  version: string,
  changed: Readonly<Record<string, string>> = {},
): string {
  const versions = names.map((name) => [name, changed[name] ?? version]);
  return stringify({ versions: Object.fromEntries(versions) as Record<string, string> });
}

function valuesFile(name: string): string {
  const variables = Array.from(
    { length: 10 },
    (_, index) => `    SETTING_${index}: "value ${index} of ${name}"\n`,
  );
  return `generic-service:
  version: {{ index .Values.versions "${name}" | quote }}
  replicas: {{ .Values.replicas }}
  env:
    PUBLIC_URL: https://{{ .Values.host }}/${name}
${variables.join('')}`;
}
