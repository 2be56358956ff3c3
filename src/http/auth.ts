import type { FastifyRequest } from 'fastify';
import type { TokenOwner, TokenPerson } from '../adapters/postgres/tokens.ts';
import { Refusal } from '../domain/errors.ts';
import type { App } from './server.ts';

/**
 * Who may call a route: `public` anybody, `signature` whoever signed the body (the route itself checks),
 * `token` whoever holds a person's or a machine's token, `worker` the worker of a cluster.
 */
type Permission = 'public' | 'signature' | 'token' | 'worker';

declare module 'fastify' {
  interface FastifyContextConfig {
    permission?: Permission;
  }
  interface FastifyRequest {
    /** The person, or the name of the token; empty on routes that need none. */
    actor: string;
    /** Of a person's token. */
    person?: TokenPerson;
    /** The cluster of a worker's token; empty on every other request. */
    cluster: string;
  }
}

/** Closes every route that does not say who may call it: such a route stops the start. */
export function requirePermissions(
  app: App,
  tokens: { verify: (token: string) => Promise<TokenOwner | undefined> },
): void {
  app.decorateRequest('actor', '');
  app.decorateRequest('cluster', '');
  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.permission === undefined) {
      throw new Error(`${String(method)} ${url} does not declare who may call it`);
    }
  });
  app.addHook('onRequest', async (request) => {
    if (request.is404) return;
    const { permission } = request.routeOptions.config;
    if (permission === 'public' || permission === 'signature') return;
    const token = bearerToken(request);
    const owner = token === undefined ? undefined : await tokens.verify(token);
    if (!owner) throw new Refusal('not-signed-in', 'This needs a valid token: Bearer slp_…');
    if (permission === 'worker' && owner.cluster === undefined) {
      throw new Refusal('forbidden', "This is for the token of a cluster's worker.");
    }
    // Closed the other way round too: what a worker holds opens nothing but its own routes.
    if (permission !== 'worker' && owner.cluster !== undefined) {
      throw new Refusal('forbidden', "A worker's token may not do this.");
    }
    request.actor = owner.person?.person ?? owner.name;
    if (owner.person) request.person = owner.person;
    request.cluster = owner.cluster ?? '';
  });
}

function bearerToken(request: FastifyRequest): string | undefined {
  return /^Bearer (slp_[A-Za-z0-9_-]{43})$/i.exec(request.headers.authorization ?? '')?.[1];
}
