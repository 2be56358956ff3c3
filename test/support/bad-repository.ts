/** A repository with two good services; tests break the one called `api`, file by file. */
export function twoServices(
  environment: string,
  broken: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    'helmfile.yaml.gotmpl': helmfile(environment),
    'versions.yaml': 'versions: { api: "1", web: "1" }\n',
    'values/api.yaml.gotmpl': 'version: {{ .Values.versions.api | quote }}\n',
    'values/web.yaml.gotmpl': 'version: {{ .Values.versions.web | quote }}\n',
    ...chart('web'),
    ...chart('api'),
    // Nothing yet: another commit cannot take a file away that one of the tests brought.
    'api/templates/more.yaml': '',
    'api/templates/NOTES.txt': '',
    'api/templates/_helpers.tpl': '',
    'api/values.yaml': '{}',
    'api/values.schema.json': '{}',
    ...broken,
  };
}

/** The helmfile of the two services, with other parts in the place of the usual ones. */
export function helmfile(
  environment: string,
  { top = '', api = 'chart: ./api', web = 'chart: ./web', defaults = 'timeout: 15' } = {},
): string {
  return `environments:
  ${environment}:
    values: [versions.yaml]
---
helmDefaults: { wait: true, createNamespace: false, ${defaults} }
${top}
releases:
  - name: api
    ${api}
    values: [values/api.yaml.gotmpl]
  - name: web
    ${web}
    values: [values/web.yaml.gotmpl]
`;
}

function chart(name: string): Record<string, string> {
  return {
    [`${name}/Chart.yaml`]: `apiVersion: v2\nname: ${name}\nversion: 0.1.0\n`,
    [`${name}/templates/settings.yaml`]: `apiVersion: v1
kind: ConfigMap
metadata: { name: {{ .Release.Name }} }
data: { version: {{ .Values.version | quote }} }
`,
  };
}

/** A workload for the chart of `api`. */
export function workload({ app = 'api', apiVersion = 'apps/v1' } = {}): string {
  return `apiVersion: ${apiVersion}
kind: Deployment
metadata: { name: api }
spec:
  replicas: 1
  progressDeadlineSeconds: 5
  selector: { matchLabels: { app: ${app} } }
  template:
    metadata: { labels: { app: ${app} } }
    spec: { containers: [{ name: app, image: "registry.example/api:{{ .Values.version }}" }] }
`;
}
