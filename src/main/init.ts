import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configText, repositoryName } from '../adapters/deployment-repository/config-text.ts';
import { WorkTree } from '../adapters/git/work-tree.ts';
import { EXIT } from '../cli/exit-codes.ts';
import { chartUrlFault, gitUrlFault, webUrlFault, type UrlFault } from '../config/urls.ts';
import { Refusal } from '../domain/errors.ts';
import {
  checkDescription,
  parseChartRepository,
  parseCluster,
  parseEnvironment,
  parseService,
  parseVersionValue,
  type RepositoryDescription,
} from '../domain/init/description.ts';
import { repositoryFiles } from '../domain/init/repository-files.ts';
import { askForMissing, type InitOptions } from './init-questions.ts';

const CONFIG = 'slipway.yaml';
const SCHEMA = 'slipway.schema.json';
const SCHEMA_FILE = fileURLToPath(new URL(`../../schema/${SCHEMA}`, import.meta.url));

/**
 * Makes a deployment repository in a folder, from what the flags say and what a person at the terminal
 * answers. A file that is there already is never written over. Returns the exit code.
 */
export async function init(folder: string, given: InitOptions): Promise<number> {
  const asks = !given.yes && process.stdin.isTTY && process.stderr.isTTY;
  const origin = await originOf(folder);
  const url = given.url ?? origin;
  const known = { ...given, ...(url === undefined ? {} : { url }) };
  const description = describe(
    asks
      ? await askForMissing(known, { input: process.stdin, output: process.stderr })
      : complete(known),
  );
  const repository = repositoryName(folder);
  const files = repositoryFiles(description);
  files.set(CONFIG, configOf(repository, description));
  files.set(SCHEMA, await readFile(SCHEMA_FILE, 'utf8'));
  await checkFree(folder, [...files.keys()]);
  for (const [path, text] of files) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { flag: 'wx' });
    process.stdout.write(`${join(folder, path)}\n`);
  }
  process.stderr.write(nextSteps(folder, repository, description));
  return EXIT.ok;
}

/** Throws a refusal that names every flag that is missing. */
function complete(options: InitOptions): InitOptions {
  const examples = {
    '--chart-repository charts=https://charts.example.org': options.chartRepository,
    '--service example-api:2.4.1=charts/example-api@^1.0.0': options.service,
    '--cluster notprod=https://kube-api.example.org': options.cluster,
    '--environment cs-qa=qa': options.environment,
    '--url https://git.example.org/deployments.git': options.url ?? [],
  };
  const missing = Object.entries(examples)
    .filter(([, values]) => values.length === 0)
    .map(([example]) => `  ${example}`);
  if (missing.length === 0) return options;
  throw new Refusal(
    'malformed',
    ['There is nobody to ask. Say also, for example:', ...missing].join('\n'),
  );
}

function describe(options: InitOptions): RepositoryDescription {
  const clusters = options.cluster.map(parseCluster);
  const names = clusters.map(({ name }) => name);
  const url = options.url ?? '';
  const description = {
    clusters,
    chartRepositories: options.chartRepository.map(parseChartRepository),
    services: options.service.map(parseService),
    environments: options.environment.map((text) => parseEnvironment(text, names)),
    branch: options.branch,
    versionValue: parseVersionValue(options.versionValue),
    url,
  };
  checkUrl('--url', gitUrlFault(url));
  for (const { name, server } of clusters) checkUrl(`--cluster ${name}=…`, webUrlFault(server));
  for (const { name, url: at } of description.chartRepositories) {
    checkUrl(`--chart-repository ${name}=…`, chartUrlFault(at));
  }
  checkDescription(description);
  return description;
}

/** The URL itself may hold a password, so it is not repeated. */
function checkUrl(flag: string, fault: UrlFault): void {
  if (fault !== undefined) throw new Refusal('invalid', `${flag} ${fault}.`);
}

function configOf(repository: string, description: RepositoryDescription): string {
  const { url, branch, environments, clusters } = description;
  const servers = new Map(clusters.map(({ name, server }) => [name, server]));
  return configText({
    ...{ repository, url, branch, schema: `./${SCHEMA}`, source: 'what `slipway init` was told' },
    environments: environments.map(({ name, cluster }) => ({
      ...{ name, cluster, namespace: name, token: tokenOf(cluster) },
      // The description was checked: each cluster is there.
      server: servers.get(cluster) ?? '',
      ...{ variables: new Map(), versionKeys: new Map(), after: [], restart: [] },
    })),
  });
}

function tokenOf(cluster: string): string {
  return `KUBE_TOKEN_${cluster.toUpperCase().replaceAll('-', '_')}`;
}

async function originOf(folder: string): Promise<string | undefined> {
  if (!(await exists(folder))) return undefined;
  const tree = await WorkTree.open(folder, process.env).catch(() => undefined);
  return tree?.origin();
}

async function checkFree(folder: string, paths: readonly string[]): Promise<void> {
  const taken: string[] = [];
  for (const path of paths) if (await exists(join(folder, path))) taken.push(path);
  if (taken.length === 0) return;
  const message = `${taken.join(', ')} ${taken.length === 1 ? 'is' : 'are'} there already in ${folder}: nothing was written. Choose an empty folder.`;
  throw new Refusal('conflict', message);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function nextSteps(folder: string, repository: string, { environments }: RepositoryDescription) {
  const [first] = environments;
  return `
Next:
  look at the values of each service, and at what ${CONFIG} says by way of example
  git -C ${folder} init -b main && git -C ${folder} add . && git -C ${folder} commit -m "Start"
  push it, then: slipway plan --config ${join(folder, CONFIG)} --repository ${repository} --environment ${first?.name ?? ''}
`;
}
