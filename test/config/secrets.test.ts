import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ConfigError, formatProblem } from '../../src/config/problems.ts';
import { environmentKey, resolveSecrets, type Role } from '../../src/config/secrets.ts';
import { exampleWith, validConfig, type Change } from './example.ts';

const SERVER_ENV = {
  DATABASE_URL: 'postgres://slipway@db/slipway',
  WEBHOOK_SECRET: 'webhook-secret',
  OLD_SECRET: 'old-webhook-secret',
  NEW_SECRET: 'new-webhook-secret',
  GITHUB_TOKEN: 'github-token',
};
const NOTPROD_ENV = {
  WORKER_TOKEN: 'slp_worker-of-notprod',
  GITHUB_TOKEN: 'github-token',
  KUBE_TOKEN_NOTPROD: 'kube-token-notprod',
  KUBE_TOKEN_CS_QA: 'kube-token-cs-qa',
  ALLOWED_IPS: '192.0.2.0/24',
};
const SERVER = { role: 'server' } as const;
const NOTPROD = { role: 'worker', cluster: 'notprod' } as const;

const WORKER_TOKEN = 'workerToken: { env: WORKER_TOKEN }';
const WORKER_TOKENS: Change[] = [
  ['token: { env: KUBE_TOKEN_NOTPROD }', `token: { env: KUBE_TOKEN_NOTPROD }\n    ${WORKER_TOKEN}`],
  ['context: prod }', `context: prod }\n    ${WORKER_TOKEN}`],
];
const configWith = (...changes: readonly Change[]) =>
  validConfig(exampleWith(...changes, ...WORKER_TOKENS));

function problemsOf(role: Role, env: NodeJS.ProcessEnv, config = configWith()): string[] {
  try {
    // The overloads tell the roles apart; here either will do.
    if (role.role === 'server') resolveSecrets(config, role, env);
    else if (role.role === 'plan') resolveSecrets(config, role, env);
    else resolveSecrets(config, role, env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.message).toBe(error.problems.map(formatProblem).join('\n'));
    return error.problems.map(formatProblem);
  }
}

describe('each role reads its own secrets and needs no others', () => {
  test('the server: database, webhook secrets, forge tokens', () => {
    expect(resolveSecrets(configWith(), SERVER, SERVER_ENV)).toEqual({
      databaseUrl: 'postgres://slipway@db/slipway',
      webhookSecrets: new Map([
        ['notprod', ['webhook-secret']],
        ['prod', ['old-webhook-secret', 'new-webhook-secret']],
      ]),
      forgeTokens: new Map([['notprod', 'github-token']]),
      values: expect.arrayContaining(Object.values(SERVER_ENV)) as unknown,
    });
  });

  test('the worker of a cluster: its environments’ tokens and variables, and their git access', () => {
    expect(resolveSecrets(configWith(), NOTPROD, NOTPROD_ENV)).toEqual({
      workerToken: 'slp_worker-of-notprod',
      environments: new Map([
        [
          environmentKey('notprod', 'cs-qa'),
          {
            token: 'kube-token-cs-qa',
            variables: { ALLOWED_IPS: '192.0.2.0/24', RDS_CIDR: '10.1.0.0/16' },
          },
        ],
        [environmentKey('notprod', 'wcs-qa'), { token: 'kube-token-notprod', variables: {} }],
      ]),
      forgeTokens: new Map([['notprod', 'github-token']]),
      values: expect.arrayContaining(Object.values(NOTPROD_ENV)) as unknown,
    });
  });

  test('the worker of a cluster with a kubeconfig needs no token', () => {
    const prod = { role: 'worker', cluster: 'prod' } as const;
    const secrets = resolveSecrets(configWith(), prod, { WORKER_TOKEN: 'slp_worker-of-prod' });
    expect(secrets.environments).toEqual(
      new Map([[environmentKey('prod', 'cs-prod'), { variables: {} }]]),
    );
    expect(secrets.forgeTokens.size).toBe(0);
  });

  test('a worker that cannot sign in to the server does not start, and hears how it could', () => {
    expect(problemsOf(NOTPROD, NOTPROD_ENV, validConfig(exampleWith()))).toEqual([
      'slipway.yaml:1:1 clusters.notprod has no workerToken, which its worker needs; make one with `slipway token <name> --worker notprod`',
    ]);
    expect(problemsOf(SERVER, SERVER_ENV, validConfig(exampleWith()))).toEqual([]);
  });

  test('a worker of an unknown cluster does not start', () => {
    expect(problemsOf({ role: 'worker', cluster: 'x' }, {})).toEqual([
      'slipway.yaml:1:1 there is no cluster "x"; known: notprod, prod',
    ]);
  });
});

describe('what is missing stops the start', () => {
  test('every missing variable is named with its key and place', () => {
    expect(problemsOf(SERVER, {})).toEqual([
      'slipway.yaml:3:18 database.url: the environment variable DATABASE_URL is not set',
      'slipway.yaml:19:43 repositories.notprod.forge.webhookSecret: the environment variable WEBHOOK_SECRET is not set',
      'slipway.yaml:19:75 repositories.notprod.forge.token: the environment variable GITHUB_TOKEN is not set',
      'slipway.yaml:29:44 repositories.prod.forge.webhookSecret[0]: the environment variable OLD_SECRET is not set',
      'slipway.yaml:29:65 repositories.prod.forge.webhookSecret[1]: the environment variable NEW_SECRET is not set',
    ]);
  });

  test('an empty one, and one too short to be taken out of logs, are refused unseen', () => {
    const env = { ...NOTPROD_ENV, KUBE_TOKEN_CS_QA: '', ALLOWED_IPS: 'hunter2' };
    const found = problemsOf(NOTPROD, env);
    expect(found).toEqual([
      'slipway.yaml:23:16 repositories.notprod.environments.cs-qa.token: the environment variable KUBE_TOKEN_CS_QA is empty',
      'slipway.yaml:24:35 repositories.notprod.environments.cs-qa.variables.ALLOWED_IPS: the environment variable ALLOWED_IPS is shorter than 8 bytes',
    ]);
    expect(found.join()).not.toContain('hunter2');
  });
});

describe('a secret in a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-secrets-'));
  const file = join(folder, 'token');
  const config = configWith(['{ env: GITHUB_TOKEN }', `{ file: ${file} }`]);
  const where = 'slipway.yaml:19:75 repositories.notprod.forge.token';
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test.each([
    ['secret-token', 'secret-token'],
    ['secret-token\n', 'secret-token'],
    ['secret-token\r\n', 'secret-token'],
    ['secret-token\n\n', 'secret-token\n'],
    [' secret-token ', ' secret-token '],
  ])('%j is %j', (text, value) => {
    writeFileSync(file, text);
    expect(resolveSecrets(config, SERVER, SERVER_ENV).forgeTokens.get('notprod')).toBe(value);
  });

  test.each([
    ['\n', 'is empty'],
    ['hunter2\n', 'is shorter than 8 bytes'],
    [Buffer.from('hunter2hunter2\xff', 'latin1'), 'is not UTF-8 text'],
  ])('%j is refused', (content, fault) => {
    writeFileSync(file, content);
    expect(problemsOf(SERVER, SERVER_ENV, config)).toEqual([`${where}: the file ${file} ${fault}`]);
  });

  test('is named when it cannot be read', () => {
    rmSync(file);
    const fault = `the file ${file} cannot be read (ENOENT)`;
    expect(problemsOf(SERVER, SERVER_ENV, config)).toEqual([`${where}: ${fault}`]);
  });
});

test('a plan of a person needs the secrets of its environment, and no database', () => {
  const { KUBE_TOKEN_NOTPROD, KUBE_TOKEN_CS_QA, GITHUB_TOKEN, ALLOWED_IPS } = NOTPROD_ENV;
  const role = { role: 'plan', repository: 'notprod', environment: 'cs-qa' } as const;
  const env = { KUBE_TOKEN_NOTPROD, KUBE_TOKEN_CS_QA, GITHUB_TOKEN, ALLOWED_IPS };
  const secrets = resolveSecrets(configWith(), role, env);
  expect([...secrets.environments.keys()]).toEqual([environmentKey('notprod', 'cs-qa')]);
});
