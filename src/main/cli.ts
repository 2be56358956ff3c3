import { Command, CommanderError, Option } from 'commander';
import { EXIT } from '../cli/exit-codes.ts';
import { asDiskFull } from '../domain/disk-full.ts';
import { Refusal, REFUSALS, SlipwayError } from '../domain/errors.ts';
import type { BumpOptions } from './bump.ts';
import type { DoctorOptions } from './doctor-repository.ts';
import type { ImportOptions } from './import.ts';
import type { InitOptions } from './init-questions.ts';
import type { PlanOptions } from './plan.ts';

/**
 * The root of the command line. A command is imported only when it runs, so that none pays for the
 * libraries of another. Each `action` returns nothing and sets `process.exitCode`, or throws.
 */
const program = new Command('slipway')
  .description('Releases helmfile deployment repositories.')
  .exitOverride()
  .showHelpAfterError('Run it with --help to see what is possible.');

program
  .command('doctor')
  .description('say what is missing on this machine, or wrong with a deployment repository')
  .argument('[folder]', 'a deployment repository; without it, this machine')
  .option('--config <file>', "slipway.yaml, where it is not the repository's own")
  .addOption(clusterOption())
  .option('--json', 'print the findings as JSON')
  .addHelpText('after', '\nExamples:\n  slipway doctor\n  slipway doctor ../deployments --json')
  .action(async (folder: string | undefined, options: DoctorOptions) => {
    if (folder !== undefined) {
      const { doctorRepository } = await import('./doctor-repository.ts');
      process.exitCode = await doctorRepository(folder, options);
      return;
    }
    if (options.config !== undefined || options.cluster !== undefined) {
      const message = '--config and --cluster are of a deployment repository: name its folder.';
      throw new Refusal('malformed', message);
    }
    const { doctor } = await import('./doctor.ts');
    process.exitCode = await doctor(options);
  });

const tools = program.command('tools').description('the programs that Slipway works with');

tools
  .command('install')
  .description('install every tool that is neither in the cache nor on PATH')
  .addHelpText('after', '\nExample:\n  slipway tools install')
  .action(async () => {
    const { installAllTools } = await import('./tools-install.ts');
    await installAllTools();
  });

program
  .command('version')
  .description("print Slipway's version")
  .action(async () => {
    const { default: manifest } = await import('../../package.json', { with: { type: 'json' } });
    process.stdout.write(`${manifest.version}\n`);
  });

program
  .command('dev')
  .description('start Slipway and all that it needs on this machine, with fresh data')
  .option('--story', 'push a bump, a broken version and its fix, and tell how it goes')
  .option('--exit', 'end after the story')
  .option('--json', "print the story's outcome on stdout as JSON")
  .addHelpText('after', '\nExample:\n  slipway dev --story --exit')
  .action(async (options: { story?: boolean; exit?: boolean; json?: boolean }) => {
    const { runDev } = await import('./dev.ts');
    process.exitCode = await runDev(options);
  });

program
  .command('serve')
  .description('run the server: webhooks, API, and the workflows beside it')
  .requiredOption('--config <file>', 'slipway.yaml')
  .addHelpText('after', '\nExample:\n  slipway serve --config /etc/slipway/slipway.yaml')
  .action(async ({ config }: { config: string }) => {
    const { runServer } = await import('./server.ts');
    await runServer({ configFile: config });
  });

program
  .command('worker')
  .description('run the worker of one cluster')
  .requiredOption('--config <file>', 'slipway.yaml')
  .requiredOption('--cluster <name>', 'a cluster of slipway.yaml')
  .addOption(
    new Option('--shutdown-grace <time>', 'how long running applies may go on after a stop')
      .choices(['10m', '20s'])
      .default('10m'),
  )
  .addHelpText('after', '\nExample:\n  slipway worker --config slipway.yaml --cluster notprod')
  .action(async (options: { config: string; cluster: string; shutdownGrace: '10m' | '20s' }) => {
    const { runWorker } = await import('./worker.ts');
    await runWorker({
      configFile: options.config,
      cluster: options.cluster,
      shutdownGraceTime: options.shutdownGrace,
    });
  });

program
  .command('plan')
  .description('print what a release would change in an environment; needs no server')
  .requiredOption('--config <file>', 'slipway.yaml')
  .requiredOption('--repository <name>', 'a repository of slipway.yaml')
  .requiredOption('--environment <name>', 'one of its environments')
  .option('--commit <sha>', "the commit to plan; the branch's head by default")
  .option('--all', 'compare every service by full rendering, and hold nothing back')
  .option('--json', 'print the plan as JSON')
  .option('--exit-code', `exit with ${EXIT.changesPending} when changes are pending`)
  .addHelpText(
    'after',
    '\nExample:\n  slipway plan --config slipway.yaml --repository notprod --environment cs-qa',
  )
  .action(async (options: PlanOptions) => {
    const { printPlan } = await import('./plan.ts');
    process.exitCode = await printPlan(options);
  });

program
  .command('bump')
  .description("set versions in an environment's versions.yaml, and touch nothing else in it")
  .argument('[versions...]', '<key>=<version>, or with --from or --latest: <key>')
  .option('--env <environment or folder>', 'where; may be given several times', collect, [])
  .option('--repository <folder>', 'the deployment repository', '.')
  .option('--from <environment>', 'take the versions that another environment has')
  .option('--latest', 'take the newest versions of their sources, within the major version')
  .option('--allow-major', 'with --latest: also of a later major version')
  .option('--config <file>', 'with --latest: slipway.yaml with `versionSources`')
  .option('--dry-run', 'show the change as a diff, and write nothing')
  .option('--commit', 'commit the change')
  .option('--push <branch>', 'commit the change, and push it to this branch of origin')
  .addHelpText('after', '\nExample:\n  slipway bump hocs-audit=2.18.4 --env cs-qa --commit')
  .action(async (versions: string[], options: BumpOptions) => {
    const { bump } = await import('./bump.ts');
    process.exitCode = await bump(versions, options);
  });

program
  .command('import')
  .description('propose what a repository of the old kind (helmfile 0, Drone) needs for Slipway')
  .argument('[folder]', 'the deployment repository', '.')
  .option('--write', 'make the change instead of showing it')
  .addOption(new Option('--branch <name>', 'commit the change on a new branch').conflicts('write'))
  .addOption(clusterOption())
  .option('--json', 'print diffs and notes as JSON')
  .addHelpText(
    'after',
    '\nExamples:\n  slipway import ../deployments | less\n  slipway import --branch slipway',
  )
  .action(async (folder: string, options: ImportOptions) => {
    const { importRepository } = await import('./import.ts');
    process.exitCode = await importRepository(folder, options);
  });

program
  .command('init')
  .description('make a deployment repository; asks for what is not said')
  .argument('[folder]', 'where; nothing in it is written over', '.')
  .option('--chart-repository <name=url>', 'https or oci; several times', collect, [])
  .option('--service <name:version=repository/chart@range>', 'several times', collect, [])
  .option('--environment <name[=folder][@cluster]>', 'several times', collect, [])
  .option('--cluster <name=url>', 'its Kubernetes API; several times', collect, [])
  .option('--url <url>', "where the repository will be, for git; the folder's origin by default")
  .option('--branch <name>', 'whose merges are released', 'main')
  .option('--version-value <path>', "the charts' value that takes the version", 'image.tag')
  .option('--yes', 'ask nothing')
  .addHelpText(
    'after',
    '\nExample:\n  slipway init deployments --yes --url https://git.example.org/deployments.git \\\n' +
      '    --chart-repository charts=https://charts.example.org \\\n' +
      '    --service example-api:2.4.1=charts/example-api@^1.0.0 \\\n' +
      '    --cluster notprod=https://kube-api.example.org \\\n' +
      '    --environment cs-qa=qa --environment wcs-qa=qa',
  )
  .action(async (folder: string, options: InitOptions) => {
    const { init } = await import('./init.ts');
    process.exitCode = await init(folder, options);
  });

program
  .command('migrate')
  .description("bring the database and Temporal's namespace to what this version needs")
  .requiredOption('--config <file>', 'slipway.yaml')
  .addHelpText('after', '\nExample:\n  slipway migrate --config slipway.yaml')
  .action(async ({ config }: { config: string }) => {
    const { migrateConfigured } = await import('./database.ts');
    for (const name of await migrateConfigured(config)) process.stdout.write(`${name}\n`);
  });

program
  .command('token')
  .description("make a token for the API, or for a cluster's worker, and print it, this once")
  .argument('<name>', 'what it is for')
  .requiredOption('--config <file>', 'slipway.yaml')
  .option('--user <person>', 'the person whose token it is: only people approve')
  .option('--group <group...>', 'groups of the person, as `approval.from` names them')
  .option('--forge-user <id>', 'who they are at the forge, such as github:4711')
  .addOption(
    new Option('--worker <cluster>', "of this cluster's worker, which may nothing else").conflicts([
      'user',
      'group',
      'forgeUser',
    ]),
  )
  .addHelpText(
    'after',
    '\nExamples:\n  slipway token ci --config slipway.yaml\n' +
      '  slipway token notprod-worker --worker notprod --config slipway.yaml\n' +
      '  slipway token laptop --config slipway.yaml --user ada --group release-managers --forge-user github:4711',
  )
  .action(async (name: string, options: TokenOptions) => {
    const { createConfiguredToken } = await import('./database.ts');
    const person = personOf(options);
    const token = await createConfiguredToken(options.config, {
      name,
      ...(person ? { person } : {}),
      ...(options.worker === undefined ? {} : { cluster: options.worker }),
    });
    process.stdout.write(`${token}\n`);
  });

program
  .command('config')
  .description('check a configuration')
  .argument('<file>', 'slipway.yaml')
  .addHelpText('after', '\nExample:\n  slipway config slipway.yaml')
  .action(async (file: string) => {
    const { loadConfig } = await import('../config/load.ts');
    await loadConfig(file);
    process.stdout.write(`${file} is valid\n`);
  });

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = await report(error);
}

function collect(value: string, earlier: string[]): string[] {
  return [...earlier, value];
}

function clusterOption(): Option {
  const what = 'a context of your kubeconfig: says which API versions it does not serve';
  return new Option('--cluster <context>', what);
}

interface TokenOptions {
  worker?: string;
  config: string;
  user?: string;
  group?: string[];
  forgeUser?: string;
}

function personOf({ user, group = [], forgeUser }: TokenOptions) {
  if (user === undefined) {
    if (group.length === 0 && forgeUser === undefined) return undefined;
    throw new Refusal('invalid', '--group and --forge-user are of a person: name them by --user.');
  }
  return { person: user, groups: group, ...(forgeUser === undefined ? {} : { forgeUser }) };
}

/** The cause, the words that it is read from, and what to do next. */
async function explained(error: SlipwayError): Promise<string> {
  const { explainError } = await import('../domain/why/rules.ts');
  const { sentence, evidence = [], actions = [] } = explainError(error);
  const proof = sentence === error.message ? [] : evidence.map((line) => `  ${line}`);
  return [sentence, ...proof, ...actions.slice(0, 1)].join('\n');
}

/** Says on stderr what went wrong, in words; the stack is for who asks with SLIPWAY_DEBUG. */
async function report(thrown: unknown): Promise<number> {
  const error = asDiskFull(thrown) ?? thrown;
  // Commander has printed its own: help is no failure, everything else is wrong usage.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof Error && error.name === 'AbortError') return EXIT.interrupted;
  const message =
    error instanceof SlipwayError
      ? await explained(error)
      : String(error instanceof Error ? error.message : error);
  process.stderr.write(`slipway: ${message}\n`);
  if (process.env.SLIPWAY_DEBUG && error instanceof Error) {
    process.stderr.write(`${error.stack ?? ''}\n`);
  }
  return error instanceof Refusal ? REFUSALS[error.code].exit : EXIT.failed;
}
