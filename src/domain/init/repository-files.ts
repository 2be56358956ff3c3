import { readme } from './readme.ts';
import type { RepositoryDescription, ServiceEntry } from './description.ts';

/** The files of a new deployment repository, by their path in it. */
export function repositoryFiles(description: RepositoryDescription): Map<string, string> {
  const { environments, services } = description;
  const files = new Map([
    ['README.md', readme(description)],
    ['.gitignore', IGNORED],
    ['helmfile.yaml.gotmpl', helmfile(description)],
    ['charts.yaml', charts(services)],
  ]);
  for (const folder of new Set(environments.map((environment) => environment.folder))) {
    files.set(`environments/${folder}/versions.yaml`, versions(services));
    for (const { name } of services) {
      const path = `environments/${folder}/values/${name}.yaml.gotmpl`;
      files.set(path, values(name, description.versionValue));
    }
  }
  for (const { name, folder } of environments) {
    files.set(`environments/${folder}/${name}.yaml`, environmentFile(name));
  }
  return files;
}

const IGNORED = `# What helm and helmfile leave behind.
*.tgz
charts/*/charts/
# What must never be in git.
.env
*.kubeconfig
kubeconfig
`;

function helmfile({ environments, chartRepositories }: RepositoryDescription): string {
  return `# Each environment is one namespace of its own name. Environments that share a folder have the same
# versions and the same values, apart from what stands in their own file.
environments:
${environments
  .map(
    ({ name, folder }) => `  ${scalar(name)}:
    values:
      - charts.yaml
      - environments/${folder}/versions.yaml
      - environments/${folder}/${name}.yaml
      - folder: ${scalar(folder)}
`,
  )
  .join('')}---
helmDefaults:
  wait: true
  timeout: 600
  historyMax: 10
  # Namespaces, their quotas and their rights belong to the platform, not to this repository.
  createNamespace: false

repositories:
${chartRepositories.map(({ name, url }) => `  - name: ${scalar(name)}\n${location(url)}`).join('')}
releases:
{{- range $name, $service := .Values.charts }}
  - name: {{ $name | quote }}
    namespace: {{ $.Environment.Name | quote }}
    chart: {{ $service.chart }}
    version: {{ $service.version | quote }}
    values:
      - environments/{{ $.Values.folder }}/values/{{ $name }}.yaml.gotmpl
{{- end }}
`;
}

function location(url: string): string {
  const registry = /^oci:\/\/(.*)$/.exec(url)?.[1];
  if (registry === undefined) return `    url: ${scalar(url)}\n`;
  return `    url: ${scalar(registry)}\n    oci: true\n`;
}

function charts(services: readonly ServiceEntry[]): string {
  return `# Every service: its chart, and the range of chart versions that it accepts.
charts:
${services
  .map(
    ({ name, chart, range }) =>
      `  ${scalar(name)}:\n    chart: ${chart}\n    version: ${scalar(range)}\n`,
  )
  .join('')}`;
}

function versions(services: readonly ServiceEntry[]): string {
  return `# Which version of each service runs here. To release, change a line and open a pull request.
versions:
${services.map(({ name, version }) => `  ${scalar(name)}: ${scalar(version)}\n`).join('')}`;
}

function environmentFile(name: string): string {
  return `# What is true for ${name} only. A key \`host\` is {{ .Values.host }} in the values of the services.
{}
`;
}

function values(service: string, path: readonly string[]): string {
  const lines = path.map((key, depth) => `${'  '.repeat(depth)}${scalar(key)}:`);
  const version = `{{ index .Values.versions ${JSON.stringify(service)} | quote }}`;
  return `# Helm values of ${service}: what they mean is said by its chart.\n${lines.join('\n')} ${version}\n`;
}

// Words that a reader of YAML 1.1 or 1.2 takes for something else than text.
// The last is a number without a mantissa to some.
const OTHER_THAN_TEXT = /^(true|false|yes|no|on|off|y|n|null|e-?\d+)$/i;
const STARTS_AS_WORD = /^[A-Za-z](?:[\w./:@-]*[\w/-])?$/;
const THREE_NUMBERS = /^[\^~]?\d+\.\d+\.\d+(?:-[A-Za-z][\w.-]*)?$/;

/** A text as YAML takes it for just this text, in quotes wherever there is doubt. */
function scalar(text: string): string {
  const plain = STARTS_AS_WORD.test(text) && !OTHER_THAN_TEXT.test(text);
  return plain || THREE_NUMBERS.test(text) ? text : JSON.stringify(text);
}
