import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Store } from '../adapters/postgres/store.ts';
import { approvalRequestPageSchema } from '../contract/api/approval-request.ts';
import { deploymentSchema, type Deployment } from '../contract/api/deployment.ts';
import { overrideSchema, verdictSchema } from '../contract/api/gates.ts';
import { problemSchema } from '../contract/api/problem.ts';
import { ref } from '../contract/api/schema.ts';
import { Refusal } from '../domain/errors.ts';
import { refusalInWords } from '../domain/gates/may-approve.ts';
import { isEnd } from '../domain/phases.ts';
import { mustFindDeployment } from './must-find.ts';
import { cursorParameter, idParameter, limitOf, limitParameter, nameParameter } from './queries.ts';
import type { App } from './server.ts';
import type { Wake } from './wake.ts';

const config = { permission: 'token' } as const;
const problems = { '4xx': ref(problemSchema), '5xx': ref(problemSchema) };
const tags = ['deployments'];

type Verdicts = { approve: 'approved'; reject: 'rejected' };
const VERDICTS: Verdicts = { approve: 'approved', reject: 'rejected' };

/** What waits for people, and what they let it do: plans approved or rejected, a closed gate overridden. */
export function addApprovalRoutes(
  app: App,
  store: Pick<Store, 'deployments' | 'approvals' | 'gates'>,
  wake: Wake,
): void {
  app.get(
    '/api/v1/approvals',
    {
      config,
      schema: {
        summary: 'Lists the plans that wait for approval, and whether you may give it',
        tags: ['gates'],
        querystring: Type.Object(
          {
            repository: Type.Optional(nameParameter),
            environment: Type.Optional(nameParameter),
            limit: limitParameter,
            cursor: cursorParameter,
          },
          { additionalProperties: false },
        ),
        response: { 200: ref(approvalRequestPageSchema), ...problems },
      },
    },
    ({ query, person }) => store.approvals.list({ ...query, limit: limitOf(query) }, person),
  );

  for (const verb of ['approve', 'reject'] as const) {
    app.post(
      `/api/v1/deployments/:id/${verb}`,
      {
        config,
        schema: {
          summary: `${verb === 'approve' ? 'Approves' : 'Rejects'} the plan that a deployment waits with`,
          tags,
          params: idParameter,
          body: ref(verdictSchema),
          response: { 200: ref(deploymentSchema), ...problems },
        },
      },
      async (request) => {
        const deployment = await mustFindDeployment(store, request.params.id);
        const person = personOf(request);
        const { digest, comment = '' } = request.body;
        const answer = await store.approvals.add({
          ...{ deploymentId: deployment.id, digest, comment, verdict: VERDICTS[verb] },
          ...{ actor: request.actor, requestId: request.id, ...person },
        });
        refuse(deployment, answer);
        await wake(deployment);
        if (answer.answer === 'noted') return answer.deployment;
        return mustFindDeployment(store, deployment.id);
      },
    );
  }

  app.post(
    '/api/v1/deployments/:id/override',
    {
      config,
      schema: {
        summary: 'Lets a deployment pass a dependency, a stop or a freeze, with a reason',
        tags,
        params: idParameter,
        body: ref(overrideSchema),
        response: { 200: ref(deploymentSchema), ...problems },
      },
    },
    async (request) => {
      const deployment = await mustFindDeployment(store, request.params.id);
      const { id: deploymentId, number, phase } = deployment;
      personOf(request);
      if (isEnd(phase)) throw new Refusal('conflict', `Deployment ${number} has ended: ${phase}.`);
      const { actor, id: requestId } = request;
      const overridden = { deploymentId, ...request.body, actor, requestId };
      const answer = await store.gates.override(overridden);
      await wake(deployment);
      return answer;
    },
  );
}

function personOf({ person }: FastifyRequest): NonNullable<FastifyRequest['person']> {
  if (person) return person;
  throw new Refusal('forbidden', refusalInWords({ refusal: 'no-person' }));
}

type Answer = Awaited<ReturnType<Store['approvals']['add']>>;

function refuse({ number, phase }: Deployment, answer: Answer): void {
  switch (answer.answer) {
    case 'noted':
    case 'known':
      return;
    case 'not-waiting':
      throw new Refusal('conflict', `Deployment ${number} waits for no approval: it is ${phase}.`);
    case 'stale':
      throw new Refusal('plan-stale', `The plan of deployment ${number} is now ${answer.digest}.`);
    case 'refused': {
      const code = answer.refused.refusal === 'expired' ? 'conflict' : 'forbidden';
      throw new Refusal(code, refusalInWords(answer.refused));
    }
  }
}
