/** What decides how an environment is deployed: the commit, the variables and the chart repository. */
export interface State {
  /** Text of each file of the commit, by its path. */
  files: ReadonlyMap<string, string>;
  variables: ReadonlyMap<string, string>;
  /** Variant of each published chart, by `<chart> <version>`: a version may be published again. */
  published: ReadonlyMap<string, number>;
}

export const ENVIRONMENT = 'cs-oracle';

/** Charts of the chart repository, and the versions that mutations may publish. */
export const REMOTE_CHARTS = ['front', 'back'] as const;
export const REMOTE_VERSIONS = [
  '1.0.0',
  '1.2.0',
  '1.2.7',
  '1.3.0',
  '1.10.0',
  '2.0.0',
  '2.1.0-rc.1',
];
/** Each version of a chart has this many contents, of which one is published at a time. */
export const REMOTE_VARIANTS = 2;

/** A ConfigMap in the cluster, which the chart `looking` reads. */
export const LOOKED_UP = { name: 'shared', data: { blue: 'sky', green: 'meadow', red: 'rose' } };

/** Says of each value what type Helm read it as. */
const PROBE = `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
  labels: { chart: "{{ .Chart.Name }}-{{ .Chart.Version }}" }
data:
  {{- range $key, $value := .Values.probe }}
  {{ $key }}: {{ printf "%T %v" $value $value | quote }}
  {{- end }}
`;

/** The files of one version of a chart of the chart repository. */
export function remoteChart(name: string, variant: number): Record<string, string> {
  return {
    'Chart.yaml': `apiVersion: v2\nname: ${name}\nversion: 0.0.0\n`,
    'values.yaml': `probe: { port: ${8080 + variant}, chart: ${name} }\n`,
    'templates/probe.yaml': PROBE,
    'templates/deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: { name: {{ .Release.Name }} }
spec:
  replicas: {{ .Values.replicas | default 1 }}
  selector: { matchLabels: { app: {{ .Release.Name }} } }
  template:
    metadata: { labels: { app: {{ .Release.Name }} } }
    spec:
      containers: [{ name: app, image: "registry.example/${name}:{{ .Values.version }}" }]
`,
  };
}

const ENVIRONMENTS = (up: string) => `environments:
  ${ENVIRONMENT}:
    values:
      - ${up}environments/versions.yaml
      - ${up}environments/common.yaml
      - ${up}environments/${ENVIRONMENT}.yaml.gotmpl
      - ${up}environments/more/*.yaml
---
`;

const HELM_DEFAULTS = `helmDefaults:
  wait: true
  timeout: 300
`;

/** Twenty-one services, each with its own way to get its values, in four helmfiles. */
const FILES: Record<string, string> = {
  'README.md': '# Deployments\n',
  'environments/versions.yaml':
    'versions:\n  api: 2.4.1\n  audit: 1.3.0\n  web: 3.10\n  jobs: "1.0"\n  nested: 7\n',
  'environments/common.yaml': `region: eu
replicas: 2
feature: no
limit: 10
shared: { tier: gold }
reports: { enabled: true }
search: { enabled: true }
installed:
  mailer: true
  legacy: false
`,
  [`environments/${ENVIRONMENT}.yaml.gotmpl`]:
    'host: {{ env "HOST_SUFFIX" }}\nquoted: {{ env "HOST_SUFFIX" | quote }}\nlocal: {{ .Environment.Name }}\n',
  'environments/more/10-colours.yaml': 'colour: blue\n',

  'helmfile.yaml.gotmpl': `${ENVIRONMENTS('')}${HELM_DEFAULTS}
repositories:
  - name: remote
    url: {{ requiredEnv "CHART_REPOSITORY_URL" | quote }}
  - name: registry
    url: {{ requiredEnv "CHART_REGISTRY" }}/open
    oci: true
    plainHttp: true
  - name: vault
    url: {{ requiredEnv "CHART_REGISTRY" }}/guarded
    oci: true
    plainHttp: true

helmfiles:
  - path: platform/helmfile.yaml.gotmpl
    values:
      - given: {{ .Values.region | quote }}
      - environments/common.yaml
  - path: teams/helmfile.d/*.yaml.gotmpl

templates:
  own:
    chart: ./charts/plain
    valuesTemplate:
      - probe: { name: "{{\`{{ .Release.Name }}\`}}", region: {{ .Values.region }} }
    missingFileHandler: Warn

releases:
  - name: api
    chart: remote/front
    version: ^1.0.0
    values:
      - values/api.yaml.gotmpl
  - name: audit
    chart: registry/back
    version: ~1.2.0
    values:
      - values/audit.yaml.gotmpl
  - name: extracts
    chart: vault/back
    version: 1.2.0
    needs: [audit]
    values:
      - values/extracts.yaml.gotmpl
  - name: web
    chart: remote/front
    values:
      - version: {{ .Values.versions.web | quote }}
      - values/web.yaml
    set:
      - name: probe.set
        value: one
      - name: probe.file
        file: files/certificate.pem
  - name: plain
    inherit: [{ template: own }]
    values:
      - values/plain.yaml
  - name: optional
    inherit: [{ template: own }]
    values:
      - values/optional.yaml
      - values/optional-more.yaml
  - name: many
    inherit: [{ template: own }]
    values:
      - values/many/b.yaml
      - values/many/a.yaml
      - values/many/c.yaml
  - name: inline
    chart: ./charts/plain
    values:
      - probe:
          inline: no
          number: 1
  - name: reports
    chart: ./charts/plain
    condition: reports.enabled
    values:
      - values/reports.yaml
  - name: mailer
    chart: ./charts/plain
    installed: {{ .Values.installed.mailer }}
    values:
      - values/mailer.yaml
  - name: legacy
    chart: ./charts/plain
    installed: {{ .Values.installed.legacy }}
`,
  'values/api.yaml.gotmpl': `version: {{ .Values.versions.api | quote }}
replicas: {{ .Values.replicas }}
probe:
  feature: {{ .Values.feature }}
  host: {{ .Values.host }}
  ips: {{ env "ALLOWED_IPS" | quote }}
  fixed: "1"
`,
  'values/audit.yaml.gotmpl': `version: {{ .Values.versions.audit | quote }}
probe:
  days: 30
  flag: no
`,
  'values/extracts.yaml.gotmpl': `version: {{ .Values.versions.audit }}
probe:
{{- if eq (toString .Values.replicas) "2" }}
  pair: "yes"
{{- end }}
  all: {{ .Values.shared | toJson | quote }}
  helped: {{ include "helped" .Values.shared }}
`,
  'values/_helped.tpl':
    '{{ define "helped" }}{{ if eq .tier "gold" }}no{{ else }}"no"{{ end }}{{ end }}\n',
  'values/web.yaml': 'probe:\n  flag: "no"\n  ratio: 3.10\n  text: plain words\n',
  'values/plain.yaml': 'probe:\n  flag: "no"\n  size: 1\n  when: 2026-01-01\n',
  'values/optional.yaml': 'probe:\n  there: true\n  count: 3\n',
  'values/many/a.yaml': 'probe:\n  first: 1\n  both: a\n',
  'values/many/b.yaml': 'probe:\n  second: 2\n  both: b\n',
  'values/reports.yaml': 'probe:\n  flag: off\n  top: 10\n',
  'values/mailer.yaml': 'probe:\n  from: nobody\n  port: "25"\n',
  'files/certificate.pem': 'first line\n',

  'platform/helmfile.yaml.gotmpl': `${ENVIRONMENTS('../')}${HELM_DEFAULTS}
releases:
  - name: ingress
    chart: ../charts/parent
    values:
      - values/ingress.yaml
  - name: lookups
    chart: ../charts/looking
    values:
      - colour: {{ .Values.colour }}
      - values/lookups.yaml
  - name: nested
    chart: ../charts/plain
    values:
      - probe: { given: {{ .Values.given | quote }}, version: {{ .Values.versions.nested }} }
      - values/nested.yaml.gotmpl
  - name: bundle
    chart: ../charts/bundle
    values:
      - values/bundle.yaml
  - name: search
    chart: ../charts/plain
    condition: search.enabled
    needs: [nested]
    values:
      - values/search.yaml
`,
  'platform/values/bundle.yaml':
    'back:\n  version: "1"\n  probe:\n    fetched: 1\nprobe:\n  unread: no\n',
  'platform/values/ingress.yaml': 'child:\n  probe:\n    inside: 1\nprobe:\n  outside: "1"\n',
  'platform/values/lookups.yaml': 'probe:\n  seen: 1\n',
  'platform/values/nested.yaml.gotmpl': 'probe:\n  region: {{ .Values.region }}\n  deep: no\n',
  'platform/values/search.yaml': 'probe:\n  shards: 3\n  wide: yes\n',

  'teams/helmfile.d/10-jobs.yaml.gotmpl': `${ENVIRONMENTS('../../')}${HELM_DEFAULTS}
releases:
  - name: jobs
    chart: ../../charts/plain
    values:
      - probe: { version: {{ .Values.versions.jobs | quote }} }
      - values/jobs.yaml
  - name: sweeper
    chart: ../../charts/filed
    needs: [jobs]
    values:
      - values/sweeper.yaml
    setString:
      - name: probe.text
        value: "1"
`,
  'teams/helmfile.d/20-extras.yaml.gotmpl': `${ENVIRONMENTS('../../')}${HELM_DEFAULTS}
repositories:
  - name: guarded
    url: {{ requiredEnv "CHART_REPOSITORY_URL" }}/guarded
    username: {{ requiredEnv "CHART_USER" }}
    password: {{ requiredEnv "CHART_PASSWORD" }}

releases:
  - name: cache
    chart: guarded/back
    version: ">=1.0.0 <2.0.0"
    values:
      - values/cache.yaml.gotmpl
  - name: secretive
    chart: ../../charts/plain
    values:
      - probe: { inline: gamma }
      - values/secretive.yaml
  - name: colours
    chart: ../../charts/plain
    values:
      - values/colours.yaml.gotmpl
`,
  'teams/helmfile.d/values/jobs.yaml': 'probe:\n  every: 5\n  zone: "UTC"\n',
  'teams/helmfile.d/values/sweeper.yaml': 'probe:\n  keep: 017\n  dry: n\n',
  'teams/helmfile.d/values/cache.yaml.gotmpl':
    'version: "6"\nprobe:\n  size: {{ .Values.limit }}\n  host: {{ .Values.quoted }}\n',
  'teams/helmfile.d/values/secretive.yaml': 'probe:\n  file: ref+echo://beta\n  open: "0x1F"\n',
  'teams/helmfile.d/values/colours.yaml.gotmpl':
    'probe:\n  raw: {{ env "HOST_SUFFIX" }}\n  colour: {{ .Values.colour }}\n  upper: {{ .Values.colour | toString | upper }}\n',

  ...localChart('plain', {}),
  ...localChart('looking', {
    'templates/looked.yaml': `{{- $found := lookup "v1" "ConfigMap" .Release.Namespace "${LOOKED_UP.name}" }}
apiVersion: v1
kind: ConfigMap
metadata: { name: {{ .Release.Name }}-looked }
data: { found: {{ get ($found.data | default dict) (toString .Values.colour) | quote }} }
`,
  }),
  ...localChart('parent', {}),
  ...inFolder('charts/parent/charts/child', localChartFiles('child')),
  // What it depends on is in the commit, or in the chart repository, and in no charts folder.
  ...inFolder('charts/bundle', {
    'Chart.yaml': `apiVersion: v2
name: bundle
version: 0.1.0
dependencies:
  - { name: child, version: ">=0", repository: "file://../parent/charts/child" }
  - { name: back, version: "^1.0.0", repository: "@remote" }
`,
    'values.yaml': 'child:\n  probe:\n    size: 0\n',
  }),
  ...localChart('filed', {
    'data/text.txt': 'some text\n',
    'templates/filed.yaml': `apiVersion: v1
kind: ConfigMap
metadata: { name: {{ .Release.Name }}-filed }
data: { text: {{ .Files.Get "data/text.txt" | quote }} }
`,
  }),
};

function localChart(name: string, more: Record<string, string>): Record<string, string> {
  return inFolder(`charts/${name}`, { ...localChartFiles(name), ...more });
}

function localChartFiles(name: string): Record<string, string> {
  return {
    'Chart.yaml': `apiVersion: v2\nname: ${name}\nversion: 0.1.0\n`,
    'values.yaml': `probe:\n  chart: ${name}\n  size: 0\n`,
    'templates/probe.yaml':
      name === 'child' ? PROBE.replace('Name }}\n', 'Name }}-child\n') : PROBE,
  };
}

function inFolder(folder: string, files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(files).map(([path, text]) => [`${folder}/${path}`, text]),
  );
}

/** The repository before any mutation. */
export function firstState(): State {
  const published = REMOTE_CHARTS.flatMap((chart) =>
    ['1.0.0', '1.2.0'].map((version) => [`${chart} ${version}`, 0] as const),
  );
  return {
    files: new Map(Object.entries(FILES)),
    variables: new Map([
      ['ALLOWED_IPS', '192.0.2.0/24'],
      ['HOST_SUFFIX', 'example.org'],
    ]),
    published: new Map(published),
  };
}
