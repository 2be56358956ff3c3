import { createInterface, type Interface } from 'node:readline/promises';
import { chartUrlFault, gitUrlFault, webUrlFault, type UrlFault } from '../config/urls.ts';
import { checkVersion } from '../domain/bump.ts';
import { Refusal } from '../domain/errors.ts';
import {
  checkChart,
  checkFolder,
  checkName,
  checkRange,
  parseVersionValue,
  SERVICE_NAME_MAX,
} from '../domain/init/description.ts';

/** The answers as flags take them: what is not said by a flag is asked for. */
export interface InitOptions {
  chartRepository: string[];
  service: string[];
  environment: string[];
  cluster: string[];
  url?: string;
  branch: string;
  versionValue: string;
  yes?: boolean;
}

export interface Terminal {
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
}

interface Question {
  text: string;
  /** What an empty answer stands for; without it one is asked again. */
  otherwise?: string;
  /** Throws a refusal for what cannot be taken. */
  check?: (answer: string) => unknown;
}

/** Asks the person at the terminal for what the flags leave open; a wrong answer is asked for again. */
export async function askForMissing(
  options: InitOptions,
  { input, output }: Terminal,
): Promise<InitOptions> {
  const terminal = createInterface({ input, output });
  const closed = new AbortController();
  terminal.once('SIGINT', () => {
    closed.abort();
  });
  terminal.once('close', () => {
    closed.abort();
  });
  const ask = (question: Question) =>
    askUntilGood({ terminal, output, signal: closed.signal }, question);
  try {
    const url =
      options.url ?? (await ask({ text: 'URL of the repository, for git', check: gitUrl }));
    const chartRepositories = await listOf(options.chartRepository, () => chartRepository(ask));
    const versionValue =
      options.service.length > 0 ? options.versionValue : await valueOf(options, ask);
    const services = await listOf(options.service, () => service(ask));
    const clusters = await listOf(options.cluster, () => cluster(ask));
    const [first = ''] = clusters.map((text) => text.split('=')[0] ?? '');
    const environments = await listOf(options.environment, () => environment(ask, first));
    return {
      ...{ ...options, url, versionValue, service: services, environment: environments },
      ...{ chartRepository: chartRepositories, cluster: clusters },
    };
  } finally {
    terminal.close();
  }
}

type Ask = (question: Question) => Promise<string>;

/** An empty name ends the list, once there is one. */
async function listOf(given: string[], next: () => Promise<string | undefined>): Promise<string[]> {
  if (given.length > 0) return given;
  const list: string[] = [];
  for (;;) {
    const entry = await next();
    if (entry !== undefined) list.push(entry);
    else if (list.length > 0) return list;
  }
}

async function chartRepository(ask: Ask): Promise<string | undefined> {
  const name = await nameOrNothing(ask, 'chart repository');
  if (name === '') return undefined;
  return `${name}=${await ask({ text: `  URL of ${name}`, check: chartUrl })}`;
}

async function service(ask: Ask): Promise<string | undefined> {
  const name = await nameOrNothing(ask, 'service', SERVICE_NAME_MAX);
  if (name === '') return undefined;
  const check = (version: string) => checkVersion(name, version);
  const version = await ask({ text: `  version of ${name}`, check });
  const chart = await ask({
    text: '  its chart, as <chart repository>/<chart>',
    check: checkChart,
  });
  const range = await ask({ text: '  chart versions', otherwise: '^1.0.0', check: checkRange });
  return `${name}:${version}=${chart}@${range}`;
}

async function cluster(ask: Ask): Promise<string | undefined> {
  const name = await nameOrNothing(ask, 'cluster');
  if (name === '') return undefined;
  return `${name}=${await ask({ text: `  URL of the Kubernetes API of ${name}`, check: webUrl })}`;
}

function valueOf({ versionValue }: InitOptions, ask: Ask): Promise<string> {
  return ask({
    text: "The charts' value that takes a service's version",
    otherwise: versionValue,
    check: parseVersionValue,
  });
}

async function environment(ask: Ask, firstCluster: string): Promise<string | undefined> {
  const name = await nameOrNothing(ask, 'environment');
  if (name === '') return undefined;
  const folder = await ask({
    text: '  its folder; environments may share one',
    otherwise: name,
    check: checkFolder,
  });
  const where = await ask({
    text: '  its cluster',
    otherwise: firstCluster,
    check: (text) => checkName(text, 'cluster'),
  });
  return `${name}=${folder}@${where}`;
}

function nameOrNothing(ask: Ask, what: string, max?: number): Promise<string> {
  return ask({
    text: `Next ${what} (empty: no more)`,
    otherwise: '',
    check: (name) => name === '' || checkName(name, what, max),
  });
}

async function askUntilGood(
  {
    terminal,
    output,
    signal,
  }: { terminal: Interface; output: Terminal['output']; signal: AbortSignal },
  { text, otherwise, check }: Question,
): Promise<string> {
  const hint = otherwise === undefined || otherwise === '' ? '' : ` [${otherwise}]`;
  for (;;) {
    const answer = (await terminal.question(`${text}${hint}: `, { signal })).trim();
    const taken = answer === '' ? otherwise : answer;
    if (taken === undefined) continue;
    try {
      check?.(taken);
      return taken;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      output.write(`  ${error.message}\n`);
    }
  }
}

function gitUrl(text: string): void {
  refuse(gitUrlFault(text));
}

function chartUrl(text: string): void {
  refuse(chartUrlFault(text));
}

function webUrl(text: string): void {
  refuse(webUrlFault(text));
}

function refuse(fault: UrlFault): void {
  if (fault !== undefined) throw new Refusal('invalid', `It ${fault}.`);
}
