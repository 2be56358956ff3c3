import { Type } from 'typebox';
import type { Store } from '../adapters/postgres/store.ts';
import {
  addFreezeSchema,
  addStopSchema,
  freezeListSchema,
  freezeSchema,
  stopListSchema,
  stopSchema,
} from '../contract/api/gates.ts';
import { problemSchema } from '../contract/api/problem.ts';
import { ref } from '../contract/api/schema.ts';
import { Refusal } from '../domain/errors.ts';
import { gateParameter } from './queries.ts';
import type { App } from './server.ts';
import type { Wake } from './wake.ts';

const config = { permission: 'token' } as const;
const problems = { '4xx': ref(problemSchema), '5xx': ref(problemSchema) };
const tags = ['gates'];

/** Stops and announced freezes: what keeps deployments of a cluster, or all, away. */
export function addGateRoutes(app: App, store: Pick<Store, 'stops' | 'freezes'>, wake: Wake): void {
  app.get(
    '/api/v1/stops',
    {
      config,
      schema: {
        summary: 'Lists the stops in force',
        tags,
        response: { 200: ref(stopListSchema), ...problems },
      },
    },
    async () => ({ items: await store.stops.list() }),
  );

  app.post(
    '/api/v1/stops',
    {
      config,
      schema: {
        summary: 'Stops the line, everywhere or for a cluster',
        tags,
        body: ref(addStopSchema),
        response: { 201: ref(stopSchema), ...problems },
      },
    },
    async ({ body, actor, id: requestId }, reply) => {
      const stop = await store.stops.add({ ...body, actor, requestId });
      if (!stop) {
        const what = body.cluster === undefined ? 'Everything' : `Cluster ${body.cluster}`;
        throw new Refusal('conflict', `${what} is stopped already.`);
      }
      await wake(body);
      return reply.code(201).send(stop);
    },
  );

  app.delete(
    '/api/v1/stops/:id',
    {
      config,
      schema: {
        summary: 'Ends a stop',
        tags,
        params: gateParameter,
        response: { 204: Type.Null(), ...problems },
      },
    },
    async ({ params: { id }, actor, id: requestId }, reply) => {
      const stop = await store.stops.remove({ id, actor, requestId });
      if (!stop) throw new Refusal('not-found', `There is no stop ${id}.`);
      await wake({ cluster: stop.cluster ?? undefined });
      return reply.code(204).send(null);
    },
  );

  app.get(
    '/api/v1/freezes',
    {
      config,
      schema: {
        summary: 'Lists the announced freezes that are not over',
        tags,
        response: { 200: ref(freezeListSchema), ...problems },
      },
    },
    async () => ({ items: await store.freezes.list() }),
  );

  app.post(
    '/api/v1/freezes',
    {
      config,
      schema: {
        summary: 'Announces a freeze of an environment, of a cluster, or of everything',
        tags,
        body: ref(addFreezeSchema),
        response: { 201: ref(freezeSchema), ...problems },
      },
    },
    async ({ body, actor, id: requestId }, reply) => {
      const { cluster, repository, environment, until } = body;
      const from = body.from ?? new Date().toISOString();
      if ((repository === undefined) !== (environment === undefined)) {
        throw new Refusal('invalid', 'An environment is named by repository and environment.');
      }
      if (cluster !== undefined && environment !== undefined) {
        throw new Refusal('invalid', 'A freeze is of a cluster or of an environment, not of both.');
      }
      if (Date.parse(until) <= Math.max(Date.parse(from), Date.now())) {
        throw new Refusal('invalid', `The freeze would end before it begins: ${until}.`);
      }
      const freeze = await store.freezes.add({ ...body, from, actor, requestId });
      await wake(body);
      return reply.code(201).send(freeze);
    },
  );

  app.delete(
    '/api/v1/freezes/:id',
    {
      config,
      schema: {
        summary: 'Removes an announced freeze',
        tags,
        params: gateParameter,
        response: { 204: Type.Null(), ...problems },
      },
    },
    async ({ params: { id }, actor, id: requestId }, reply) => {
      const freeze = await store.freezes.remove({ id, actor, requestId });
      if (!freeze) throw new Refusal('not-found', `There is no freeze ${id}.`);
      await wake({
        cluster: freeze.cluster ?? undefined,
        repository: freeze.repository ?? undefined,
        environment: freeze.environment ?? undefined,
      });
      return reply.code(204).send(null);
    },
  );
}
