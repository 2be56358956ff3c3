import { basename, resolve } from 'node:path';
import { Document, visit, type YAMLMap } from 'yaml';
import { groupBy } from '../../domain/group-by.ts';
import type { ImportedEnvironment } from '../../domain/import/drone-environment.ts';

export interface ConfigFacts {
  repository: string;
  url: string;
  branch: string;
  /** Where editors find the JSON Schema, from the file on. */
  schema?: string;
  /** What it is proposed from, for its first lines. */
  source: string;
  environments: readonly (ImportedEnvironment & {
    /** Service to version key, where their names differ. */
    versionKeys: ReadonlyMap<string, string>;
  })[];
}

/** A whole `slipway.yaml` for the environments of one repository. Holds no secret, only their names. */
export function configText(facts: ConfigFacts): string {
  const { repository, url, branch, schema, source, environments } = facts;
  const clusters = groupBy(environments, ({ cluster }) => cluster);
  const document = new Document({
    version: 1,
    server: { url: 'https://slipway.example.org', listen: '0.0.0.0:8080' },
    database: { url: { env: 'DATABASE_URL' } },
    temporal: { address: 'temporal:7233', namespace: 'slipway' },
    dataDir: '/var/lib/slipway',
    clusters: Object.fromEntries(
      [...clusters].map(([name, [first]]) => [
        name,
        { server: first?.server ?? `https://${name}.example.org` },
      ]),
    ),
    repositories: {
      [repository]: {
        ...{ url, branch },
        forge: { type: 'github', webhookSecret: { env: 'WEBHOOK_SECRET' } },
        environments: Object.fromEntries(
          environments.map((environment) => [environment.name, environmentPart(environment)]),
        ),
      },
    },
  });
  const editors = schema === undefined ? '' : ` yaml-language-server: $schema=${schema}\n`;
  document.commentBefore = `${editors} Proposed from ${source}. What it does not say is an example: server, database, temporal, dataDir.`;
  visit(document, {
    Map: (_key, node) => {
      if (isSecret(node)) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

/** What a repository is called in the configuration: after its folder. */
export function repositoryName(folder: string): string {
  const name = basename(resolve(folder))
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^-|-$/g, '');
  return name === '' ? 'deployments' : name;
}

function environmentPart(environment: ConfigFacts['environments'][number]) {
  const { name, namespace, cluster, token, variables, after, restart, versionKeys } = environment;
  return {
    cluster,
    ...(namespace === name ? {} : { namespace }),
    token: { env: token },
    ...(variables.size === 0
      ? {}
      : {
          variables: Object.fromEntries(
            [...variables].map(([key, value]) => [key, 'text' in value ? value.text : value]),
          ),
        }),
    ...(after.length === 0 ? {} : { after }),
    ...(restart.length === 0 ? {} : { restart }),
    ...(versionKeys.size === 0 ? {} : { versionKeys: Object.fromEntries(versionKeys) }),
  };
}

/** People write these on one line. */
function isSecret(node: YAMLMap): boolean {
  return node.items.length === 1 && node.has('env');
}
