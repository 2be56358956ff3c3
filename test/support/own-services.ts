import { stringify } from 'yaml';

/** A repository whose service `api` uses a chart of the chart repository, and the others its own. */
export function repository(
  name: string,
  names: readonly string[],
  defaults = 'timeout: 20, ',
): Record<string, string> {
  return {
    'helmfile.yaml.gotmpl': `environments:
  ${name}:
    values: [versions.yaml, services.yaml]
---
helmDefaults: { wait: true, ${defaults}createNamespace: false }
repositories:
  - { name: charts, url: {{ requiredEnv "CHART_REPOSITORY_URL" | quote }} }
releases:
{{- range $name, $installed := .Values.services }}
  - name: {{ $name }}
    chart: {{ if eq $name "api" }}charts/example-api{{ else }}./chart{{ end }}
    {{- if eq $name "api" }}
    version: ^1.0.0
    {{- end }}
    installed: {{ $installed }}
    values: [values/{{ $name }}.yaml{{ if ne $name "web" }}.gotmpl{{ end }}]
{{- end }}
`,
    'services.yaml': services(names),
    'versions.yaml': versions({}),
    'values/api.yaml.gotmpl':
      'generic-service: { version: {{ .Values.versions.api | quote }}, replicas: 1 }\n',
    'values/audit.yaml.gotmpl': 'version: {{ .Values.versions.audit | quote }}\nreplicas: 1\n',
    'values/web.yaml': 'replicas: 1\n',
    'chart/Chart.yaml': 'apiVersion: v2\nname: own\nversion: 0.1.0\n',
    'chart/values.yaml': 'version: "1"\nflag: ""\n',
    'chart/templates/settings.yaml': `apiVersion: v1
kind: ConfigMap
metadata: { name: {{ .Release.Name }} }
data: { flag: {{ .Values.flag | quote }} }
`,
    'chart/templates/deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: { name: {{ .Release.Name }} }
spec:
  replicas: {{ .Values.replicas }}
  progressDeadlineSeconds: 10
  selector: { matchLabels: { app: {{ .Release.Name }} } }
  template:
    metadata: { labels: { app: {{ .Release.Name }} } }
    spec:
      containers:
        - { name: app, image: "registry.example/own:{{ .Values.version }}" }
`,
  };
}

/** A repository of services `audit` and `web` whose versions are in versions.yaml, all with its own chart. */
export function versionedRepository(name: string, defaults: string): Record<string, string> {
  const values = (key: string) => `version: {{ .Values.versions.${key} | quote }}\nreplicas: 1\n`;
  const base = repository(name, ['audit', 'web'], defaults);
  const helmfile = base['helmfile.yaml.gotmpl'] ?? '';
  return {
    ...base,
    'helmfile.yaml.gotmpl': helmfile.replace('{{ if ne $name "web" }}.gotmpl{{ end }}', '.gotmpl'),
    'values/web.yaml.gotmpl': values('web'),
    'values/extra.yaml.gotmpl': values('extra'),
  };
}

/** Which services the repository declares, and which of them are to be installed. */
export function services(
  names: readonly string[],
  installed: Record<string, boolean> = {},
): string {
  return stringify({
    services: Object.fromEntries(names.map((name) => [name, installed[name] ?? true])),
  });
}

/** The versions of its services; what is not named has version 1. */
export function versions(changed: Record<string, string>): string {
  return stringify({ versions: { api: '1', audit: '1', web: '1', ...changed } });
}
