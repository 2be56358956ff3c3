import Fastify from 'fastify';
import pino from 'pino';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { createStore } from '../../src/adapters/postgres/store.ts';
import { openDatabase } from '../../src/adapters/postgres/database.ts';
import { requirePermissions } from '../../src/http/auth.ts';
import { pushBody, sign, startTestApp, type TestApp } from '../support/app.ts';

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
});
afterAll(() => test.close());

/** Every route, and what a stranger hears there. */
const ROUTES = [
  ['GET', '/api/v1/releases', 401],
  ['POST', '/api/v1/releases', 401],
  ['GET', '/api/v1/releases/{id}', 401],
  ['POST', '/api/v1/releases/{id}/rerun', 401],
  ['POST', '/api/v1/releases/{id}/cancel', 401],
  ['GET', '/api/v1/deployments/{id}', 401],
  ['GET', '/api/v1/deployments/{id}/log', 401],
  ['GET', '/api/v1/deployments/{id}/plan', 401],
  ['GET', '/api/v1/deployments/{id}/why', 401],
  ['GET', '/api/v1/deployments/{id}/health', 401],
  ['GET', '/api/v1/deployments/{id}/agreement', 401],
  ['GET', '/api/v1/environments', 401],
  ['GET', '/api/v1/environments/{repository}/{name}', 401],
  ['GET', '/api/v1/environments/{repository}/{name}/agreement', 401],
  ['GET', '/api/v1/environments/{repository}/{name}/drift', 401],
  ['POST', '/api/v1/environments/{repository}/{name}/drift', 401],
  ['POST', '/api/v1/environments/{repository}/{name}/hold', 401],
  ['POST', '/api/v1/environments/{repository}/{name}/resume', 401],
  ['POST', '/api/v1/environments/{repository}/{name}/rollback', 401],
  ['GET', '/api/v1/repositories', 401],
  ['GET', '/api/v1/repositories/{name}', 401],
  ['POST', '/api/v1/repositories/{name}/poll', 401],
  ['GET', '/api/v1/inbox', 401],
  ['GET', '/api/v1/inbox/{id}', 401],
  ['POST', '/api/v1/inbox/{id}/retry', 401],
  ['POST', '/api/v1/deployments/{id}/cancel', 401],
  ['POST', '/api/v1/deployments/{id}/approve', 401],
  ['POST', '/api/v1/deployments/{id}/reject', 401],
  ['POST', '/api/v1/deployments/{id}/override', 401],
  ['GET', '/api/v1/approvals', 401],
  ['GET', '/api/v1/stops', 401],
  ['POST', '/api/v1/stops', 401],
  ['DELETE', '/api/v1/stops/{id}', 401],
  ['GET', '/api/v1/freezes', 401],
  ['POST', '/api/v1/freezes', 401],
  ['DELETE', '/api/v1/freezes/{id}', 401],
  ['POST', '/api/v1/worker/logs', 401],
  ['POST', '/api/v1/worker/plans', 401],
  ['POST', '/api/v1/worker/health', 401],
  ['GET', '/healthz', 200],
  ['GET', '/readyz', 200],
  ['POST', '/webhooks/github/{repository}', 401],
] as const;

describe('who may call what', () => {
  it.each([...ROUTES, ['GET', '/api/v1/openapi.json', 401] as const])(
    '%s %s answers a stranger with %i',
    async (method, path, status) => {
      const url = path.replace('{repository}', 'notprod').replace('{id}', '1');
      const response = await test.app.inject({
        method,
        url,
        ...(method === 'POST' ? { payload: {} } : {}),
      });
      expect(response.statusCode).toBe(status);
    },
  );

  it.each([
    ['nothing', undefined],
    ['another scheme', 'Basic YTpi'],
    ['no token', 'Bearer '],
    ['a token nobody has', `Bearer slp_${'A'.repeat(43)}`],
    ['a token in odd letters', "Bearer slp_' or true --"],
  ])('is refused with %s', async (_name, authorization) => {
    const response = await test.app.inject({
      url: '/api/v1/releases',
      headers: authorization === undefined ? {} : { authorization },
    });
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Bearer');
    expect(response.json()).toMatchObject({ code: 'not-signed-in' });
  });

  it('is refused with a token whose time is over', async () => {
    const { token } = await test.database.store.tokens.create({
      name: 'old',
      expiresAt: '2020-01-01T00:00:00Z',
    });
    const response = await test.app.inject({
      url: '/api/v1/releases',
      headers: { authorization: `Bearer ${token}` },
    });
    expect(response.statusCode).toBe(401);
  });

  it('must be declared by every route, or the app does not start', () => {
    const app = Fastify().withTypeProvider<TypeBoxTypeProvider>();
    requirePermissions(app, test.database.store.tokens);
    expect(() => app.get('/forgotten', () => 'open')).toThrow(
      'GET /forgotten does not declare who may call it',
    );
  });
});

describe('health', () => {
  it('says alive and ready', async () => {
    expect((await test.app.inject({ url: '/healthz' })).json()).toEqual({ status: 'ok' });
    const ready = await test.app.inject({ url: '/readyz' });
    expect(ready.statusCode).toBe(200);
    expect(ready.json()).toEqual({ ready: true, checks: { database: 'ok' } });
  });

  it('is not ready while a neighbour is away, and says which', async () => {
    const other = await startTestApp({
      checks: {
        database: () => Promise.resolve(),
        temporal: () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.7:7233')),
      },
    });
    const response = await other.app.inject({ url: '/readyz' });
    expect(response.statusCode).toBe(503);
    expect(response.json()).toEqual({
      ready: false,
      checks: { database: 'ok', temporal: 'failed' },
    });
    expect(response.body).not.toContain('10.0.0.7');
    await other.close();
  });
});

describe('errors', () => {
  it('are problems with the request’s id', async () => {
    const response = await test.app.inject({ url: '/nowhere?token=x' });
    expect(response.statusCode).toBe(404);
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.json()).toEqual({
      type: '/docs/api#not-found',
      title: 'Not found',
      status: 404,
      detail: 'There is nothing at this address.',
      instance: '/nowhere',
      code: 'not-found',
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
  });

  it.each(['/api/v1/releases/%E0%A4%A', `/api/v1/releases/${'1'.repeat(101)}`])(
    'of an address that cannot be read are problems too: %s',
    async (url) => {
      const response = await test.app.inject({ url, headers: test.signedIn });
      expect(response.statusCode).toBeGreaterThanOrEqual(400);
      expect(response.statusCode).toBeLessThan(500);
      expect(response.headers['content-type']).toContain('application/problem+json');
    },
  );

  it('that nobody foresaw hide their text and leave it in the log', async () => {
    const lines: string[] = [];
    const log = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        lines.push(String(chunk));
        done();
      },
    });
    const other = await startTestApp({
      logger: pino(log),
      git: {
        head: () => Promise.reject(new Error('password=hunter2')),
        resolve: () => Promise.resolve(undefined),
      },
    });
    const response = await other.app.inject({
      method: 'POST',
      url: '/api/v1/releases',
      headers: other.signedIn,
      payload: { repository: 'notprod' },
    });
    expect(response.statusCode).toBe(500);
    expect(response.body).not.toContain('hunter2');
    const { requestId, code } = response.json<{ requestId: string; code: string }>();
    expect(code).toBe('internal');
    expect(lines.join('')).toContain(requestId);
    await other.close();
  });

  it('of a database that is away are 503, for the API and for webhooks', async () => {
    const gone = openDatabase({
      url: 'postgres://slipway@127.0.0.1:1/slipway',
      onConnectionLost: () => undefined,
    });
    const other = await startTestApp({ store: createStore(gone.db) });
    const body = pushBody();
    const webhook = await other.app.inject({
      method: 'POST',
      url: '/webhooks/github/notprod',
      headers: {
        'content-type': 'application/json',
        'x-github-event': 'push',
        'x-hub-signature-256': sign(body),
      },
      payload: body,
    });
    expect(webhook.statusCode).toBe(503);
    expect(webhook.json()).toMatchObject({ code: 'unavailable' });
    const api = await other.app.inject({ url: '/api/v1/releases', headers: other.signedIn });
    expect(api.statusCode).toBe(503);
    await other.close();
    await gone.close();
  });
});

describe('openapi.json', () => {
  it('describes every route with its answers, by named schemas', async () => {
    const response = await test.app.inject({ url: '/api/v1/openapi.json', headers: test.signedIn });
    const document = response.json<{
      openapi: string;
      paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
      components: { schemas: Record<string, unknown> };
    }>();
    expect(document.openapi).toBe('3.1.0');
    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.sort()).toEqual(ROUTES.map(([method, path]) => `${method} ${path}`).sort());
    for (const operations of Object.values(document.paths)) {
      for (const operation of Object.values(operations)) {
        expect(Object.keys(operation.responses).some((code) => code.startsWith('2'))).toBe(true);
      }
    }
    expect(Object.keys(document.components.schemas)).toEqual(
      expect.arrayContaining(['Release', 'Deployment', 'Environment', 'Problem', 'LogPage']),
    );
    expect(JSON.stringify(document)).not.toContain('def-');
  });
});
