import { Type } from 'typebox';
import type { Store } from '../adapters/postgres/store.ts';
import { agreementReportSchema } from '../contract/api/agreement.ts';
import {
  environmentPageSchema,
  environmentSchema,
  holdEnvironmentSchema,
  resumeEnvironmentSchema,
} from '../contract/api/environment.ts';
import { problemSchema } from '../contract/api/problem.ts';
import { ref } from '../contract/api/schema.ts';
import { Refusal } from '../domain/errors.ts';
import { mustFindEnvironment } from './must-find.ts';
import { cursorParameter, limitOf, limitParameter, nameParameter } from './queries.ts';
import type { App } from './server.ts';
import type { Wake } from './wake.ts';

const config = { permission: 'token' } as const;
const problems = { '4xx': ref(problemSchema), '5xx': ref(problemSchema) };
const tags = ['environments'];
const params = Type.Object({ repository: nameParameter, name: nameParameter });

/** Environments: what runs where, the newest deployment of each, and what holds them. */
export function addEnvironmentRoutes(
  app: App,
  store: Pick<Store, 'environments' | 'holds' | 'observations'>,
  wake: Wake,
): void {
  app.get(
    '/api/v1/environments',
    {
      config,
      schema: {
        summary: 'Lists environments in the order of the configuration',
        tags,
        querystring: Type.Object(
          { limit: limitParameter, cursor: cursorParameter },
          { additionalProperties: false },
        ),
        response: { 200: ref(environmentPageSchema), ...problems },
      },
    },
    ({ query }) => store.environments.list({ ...query, limit: limitOf(query) }),
  );

  app.get(
    '/api/v1/environments/:repository/:name',
    {
      config,
      schema: {
        summary: 'Shows an environment',
        tags,
        params,
        response: { 200: ref(environmentSchema), ...problems },
      },
    },
    ({ params }) => mustFindEnvironment(store, params),
  );

  app.get(
    '/api/v1/environments/:repository/:name/agreement',
    {
      config,
      schema: {
        summary: 'Reports how often the plans of an environment agreed with another pipeline',
        tags,
        params,
        querystring: Type.Object({ limit: limitParameter }, { additionalProperties: false }),
        response: { 200: ref(agreementReportSchema), ...problems },
      },
    },
    async ({ params, query }) => {
      const { repository, name: environment } = await mustFindEnvironment(store, params);
      return store.observations.report({ repository, environment }, limitOf(query));
    },
  );

  app.post(
    '/api/v1/environments/:repository/:name/hold',
    {
      config,
      schema: {
        summary: 'Holds an environment: merges stay away from it until it is resumed',
        tags,
        params,
        body: ref(holdEnvironmentSchema),
        response: { 200: ref(environmentSchema), ...problems },
      },
    },
    async ({ params, body, actor, id: requestId }) => {
      await mustFindEnvironment(store, params);
      if (body.until !== undefined && Date.parse(body.until) <= Date.now()) {
        throw new Refusal('invalid', `The hold would end before it begins: ${body.until} is past.`);
      }
      await store.holds.hold({ ...params, ...body, actor, requestId });
      await wake({ repository: params.repository, environment: params.name });
      return mustFindEnvironment(store, params);
    },
  );

  app.post(
    '/api/v1/environments/:repository/:name/resume',
    {
      config,
      schema: {
        summary: 'Ends the hold of an environment',
        tags,
        params,
        body: ref(resumeEnvironmentSchema),
        response: { 200: ref(environmentSchema), ...problems },
      },
    },
    async ({ params, body, actor, id: requestId }) => {
      await mustFindEnvironment(store, params);
      if (!(await store.holds.resume({ ...params, ...body, actor, requestId }))) {
        throw new Refusal('conflict', `${params.repository}/${params.name} is not held.`);
      }
      await wake({ repository: params.repository, environment: params.name });
      return mustFindEnvironment(store, params);
    },
  );
}
