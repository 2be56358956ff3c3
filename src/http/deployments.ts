import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Store } from '../adapters/postgres/store.ts';
import { agreementSchema } from '../contract/api/agreement.ts';
import { deploymentSchema } from '../contract/api/deployment.ts';
import { planSchema } from '../contract/api/diff.ts';
import { deploymentHealthSchema } from '../contract/api/health.ts';
import { logPageSchema } from '../contract/api/log.ts';
import { problemSchema } from '../contract/api/problem.ts';
import { ref } from '../contract/api/schema.ts';
import { whySchema } from '../contract/api/why.ts';
import { LOG_STEPS } from '../contract/log-sink.ts';
import { renderPlanDiff } from '../domain/diff/render.ts';
import { Refusal } from '../domain/errors.ts';
import { changedLines } from '../domain/why/changed.ts';
import { ownerOf } from '../domain/why/rules.ts';
import type { AppDependencies } from './dependencies.ts';
import { mustFindDeployment } from './must-find.ts';
import { cursorParameter, idParameter, limitOf, limitParameter } from './queries.ts';
import { withQueue } from './queue.ts';
import type { App } from './server.ts';

const config = { permission: 'token' } as const;
const problems = { '4xx': ref(problemSchema), '5xx': ref(problemSchema) };
const tags = ['deployments'];

/** Deployments: one release in one environment, and what its steps printed. */
export function addDeploymentRoutes(
  app: App,
  store: Pick<Store, 'deployments' | 'health' | 'logs' | 'observations' | 'queues'>,
  repositories: AppDependencies['repositories'],
): void {
  app.get(
    '/api/v1/deployments/:id',
    {
      config,
      schema: {
        summary: 'Shows a deployment with its plan and attempts',
        tags,
        params: idParameter,
        response: { 200: ref(deploymentSchema), ...problems },
      },
    },
    async ({ params }) =>
      withQueue(store, repositories, await mustFindDeployment(store, params.id)),
  );

  app.get(
    '/api/v1/deployments/:id/plan',
    {
      config,
      schema: {
        summary: 'Shows what a deployment changes, as JSON or as a unified diff',
        tags,
        params: idParameter,
        response: {
          200: {
            content: {
              'application/json': { schema: ref(planSchema) },
              'text/plain': { schema: Type.String() },
            },
          },
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const { id, number } = await mustFindDeployment(store, request.params.id);
      const plan = await store.deployments.findPlan(id);
      if (!plan) throw new Refusal('not-found', `Deployment ${number} has no plan yet.`);
      if (!wantsText(request)) return reply.send(plan);
      const text = plan.diff ? renderPlanDiff(plan.diff) : '# This plan compared nothing.\n';
      return reply.type('text/plain; charset=utf-8').send(text);
    },
  );

  app.get(
    '/api/v1/deployments/:id/agreement',
    {
      config,
      schema: {
        summary: 'Compares an observed deployment with what another pipeline did',
        tags,
        params: idParameter,
        response: { 200: ref(agreementSchema), ...problems },
      },
    },
    async ({ params }) => {
      const { id, number } = await mustFindDeployment(store, params.id);
      const agreement = await store.observations.find(id);
      if (agreement) return agreement;
      throw new Refusal('not-found', `Deployment ${number} was no observation: it deploys.`);
    },
  );

  app.get(
    '/api/v1/deployments/:id/why',
    {
      config,
      schema: {
        summary: 'Explains why a deployment failed or retries',
        tags,
        params: idParameter,
        response: { 200: ref(whySchema), ...problems },
      },
    },
    async ({ params }) => {
      const { id, number, phase, attempt, cause } = await mustFindDeployment(store, params.id);
      const base = { deploymentId: id, number, phase, attempt };
      if (!cause) return { ...base, why: null };
      const plan = await store.deployments.findPlan(id);
      const changed = changedLines(plan?.diff ?? undefined, cause.service);
      const { evidence = [], actions = [] } = cause;
      const why = { ...cause, owner: ownerOf(cause.code), evidence, actions, changed };
      return { ...base, why };
    },
  );

  app.get(
    '/api/v1/deployments/:id/health',
    {
      config,
      schema: {
        summary: 'Shows how well what a deployment changed runs, as it was seen last',
        tags,
        params: idParameter,
        response: { 200: ref(deploymentHealthSchema), ...problems },
      },
    },
    async ({ params }) => {
      const { id, number, phase } = await mustFindDeployment(store, params.id);
      return { deploymentId: id, number, phase, health: (await store.health.find(id)) ?? null };
    },
  );

  app.get(
    '/api/v1/deployments/:id/log',
    {
      config,
      schema: {
        summary: 'Reads the log of a deployment, as JSON or as text',
        tags,
        params: idParameter,
        querystring: Type.Object(
          {
            step: Type.Optional(Type.Enum(LOG_STEPS)),
            after: cursorParameter,
            limit: limitParameter,
          },
          { additionalProperties: false },
        ),
        response: {
          200: {
            content: {
              'application/json': { schema: ref(logPageSchema) },
              'text/plain': { schema: Type.String() },
            },
          },
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const { id: deploymentId } = await mustFindDeployment(store, request.params.id);
      const { step, after } = request.query;
      const page = await store.logs.read({
        deploymentId,
        limit: limitOf(request.query),
        ...(step === undefined ? {} : { step }),
        ...(after === undefined ? {} : { after: Number(after) }),
      });
      if (!wantsText(request)) return reply.send(page);
      return reply
        .type('text/plain; charset=utf-8')
        .send(page.items.map(({ text }) => `${text}\n`).join(''));
    },
  );
}

function wantsText(request: FastifyRequest): boolean {
  return /^\s*text\/plain\b/i.test(request.headers.accept ?? '');
}
