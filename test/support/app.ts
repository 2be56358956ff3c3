import type { FastifyInstance } from 'fastify';
import { createHmac } from 'node:crypto';
import type { AppDependencies, ServedRepository } from '../../src/http/dependencies.ts';
import { createApp } from '../../src/http/app.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { someCommit } from './records.ts';

export const SECRETS = ['first secret', 'second secret'] as const;

export interface TestApp {
  app: FastifyInstance;
  database: TestDatabase;
  /** Headers of a signed-in request. */
  signedIn: { authorization: string };
  /** What the orchestrator was asked to cancel, and what it answers. */
  cancelled: unknown[];
  /** Lanes whose deployments were told to look at their gates. */
  woken: unknown[];
  /** Environments that somebody was asked to look at for drift. */
  looks: unknown[];
  cancelAnswer: { value: 'cancelling' | 'not-running' };
  repositories: Map<string, ServedRepository>;
  close: () => Promise<void>;
}

/** A real orchestrator for an app whose test cancels nothing and looks for no drift. */
export function wakingOnly(
  orchestrator: Pick<AppDependencies['orchestrator'], 'gatesChanged'>,
): AppDependencies['orchestrator'] {
  return {
    cancelRelease: () => Promise.reject(new Error('nobody cancels here')),
    lookForDrift: () => Promise.resolve(),
    gatesChanged: (lanes) => orchestrator.gatesChanged(lanes),
  };
}

/** The app over a real database, with repositories `notprod` (cs-dev → cs-qa, wcs-qa) and `silent`. */
export async function startTestApp(change: Partial<AppDependencies> = {}): Promise<TestApp> {
  const database = await createTestDatabase();
  const { token } = await database.store.tokens.create({ name: 'ada' });
  const cancelled: unknown[] = [];
  const woken: unknown[] = [];
  const looks: unknown[] = [];
  const cancelAnswer: TestApp['cancelAnswer'] = { value: 'cancelling' };
  const repositories = new Map<string, ServedRepository>([
    ['notprod', served({ url: 'https://github.com/example/deployments-notprod.git' })],
    ['silent', served({ webhookSecrets: [] })],
  ]);
  const app = await createApp({
    store: database.store,
    repositories: () => repositories,
    git: {
      head: () => Promise.resolve(someCommit()),
      resolve: (_repository, commit) => Promise.resolve(commit),
    },
    orchestrator: {
      cancelRelease: (input) => {
        cancelled.push(input);
        return Promise.resolve(cancelAnswer.value);
      },
      lookForDrift: (environment) => {
        looks.push(environment);
        return Promise.resolve();
      },
      gatesChanged: (lanes) => {
        woken.push(...lanes);
        return Promise.resolve();
      },
    },
    checks: { database: database.check },
    ...change,
  });
  return {
    app,
    database,
    signedIn: { authorization: `Bearer ${token}` },
    cancelled,
    woken,
    looks,
    cancelAnswer,
    repositories,
    close: async () => {
      await app.close();
      await database.close();
    },
  };
}

function served(change: Partial<ServedRepository>): ServedRepository {
  return {
    url: 'https://github.com/example/other.git',
    branch: 'main',
    webhookSecrets: SECRETS,
    environments: new Map([
      ['cs-dev', { after: [] }],
      ['cs-qa', { after: ['cs-dev'] }],
      ['wcs-qa', { after: ['cs-qa'] }],
    ]),
    ...change,
  };
}

/** GitHub's signature of a body. */
export function sign(body: string | Buffer, secret: string = SECRETS[0]): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/** The part of GitHub's push event that matters, and some that does not. */
export function pushBody(change: Record<string, unknown> = {}): string {
  return JSON.stringify({
    ref: 'refs/heads/main',
    before: someCommit(),
    after: someCommit(),
    repository: {
      full_name: 'example/deployments-notprod',
      clone_url: 'https://github.com/example/deployments-notprod.git',
    },
    pusher: { name: 'ada' },
    commits: [],
    ...change,
  });
}
