import { groupBy } from '../group-by.ts';
import type { EnvironmentEntry, RepositoryDescription } from './description.ts';

/** The README for the people who work with the repository. */
export function readme({ environments, services, branch }: RepositoryDescription): string {
  const folders = groupBy(environments, ({ folder }) => folder);
  const [[folder = '', [first] = []] = []] = folders;
  const [service] = services;
  const environment = first?.name ?? '';
  return `# Deployment repository

What runs in each environment. A merge to \`${branch}\` releases it; nothing is deployed by hand.

| environment | versions | what it has of its own |
|---|---|---|
${environments.map(row).join('\n')}

| file | holds |
|---|---|
| \`environments/<folder>/versions.yaml\` | the version of each service |
| \`environments/<folder>/<environment>.yaml\` | what differs between environments that share the folder |
| \`environments/<folder>/values/<service>.yaml.gotmpl\` | the Helm values of one service |
| \`charts.yaml\` | the services: their charts and the range of chart versions |
| \`helmfile.yaml.gotmpl\` | turns the above into Helm releases |

## Release a version

1. Change the service's line in \`environments/${folder}/versions.yaml\`, or let it be changed:
   \`slipway bump ${service?.name ?? ''}=<version> --env ${environment}\`.
2. Open a pull request and merge it when it is approved.
${shared([...folders])}
## Add a service

1. Add its chart to \`charts.yaml\`.
2. Add its version to the \`versions.yaml\` of every folder.
3. Add \`environments/<folder>/values/<service>.yaml.gotmpl\`.

A name with a hyphen needs \`index\`: \`{{ index .Values.versions "${service?.name ?? ''}" }}\`.

## See what a change would do

\`\`\`sh
helmfile -e ${environment} template
\`\`\`

Variables that templates read (\`{{ requiredEnv "…" }}\`) are given to each environment by \`variables\` in
Slipway's configuration, which sees no others.

## In an emergency

\`helmfile -e ${environment} sync\` works from any machine that can reach the cluster; the namespace must
exist. Slipway sees that somebody deployed by hand and says so.
`;
}

function row({ name, folder }: EnvironmentEntry): string {
  return `| \`${name}\` | \`environments/${folder}/versions.yaml\` | \`environments/${folder}/${name}.yaml\` |`;
}

function shared(folders: readonly [string, readonly EnvironmentEntry[]][]): string {
  return folders
    .filter(([, environments]) => environments.length > 1)
    .map(([folder, environments]) => {
      const names = environments.map(({ name }) => `\`${name}\``).join(' and ');
      return `\n${names} share the folder \`${folder}\`: a version there changes in all of them.\n`;
    })
    .join('');
}
