import type { FastifyRequest } from 'fastify';
import type { Store } from '../adapters/postgres/store.ts';
import { deploymentSchema, type Deployment } from '../contract/api/deployment.ts';
import { overrideSchema, verdictSchema } from '../contract/api/gates.ts';
import { problemSchema } from '../contract/api/problem.ts';
import { ref } from '../contract/api/schema.ts';
import { Refusal } from '../domain/errors.ts';
import { approvers } from '../domain/gates/judge-approval.ts';
import { isEnd } from '../domain/phases.ts';
import { mustFindDeployment } from './must-find.ts';
import { idParameter } from './queries.ts';
import type { App } from './server.ts';
import type { Wake } from './wake.ts';

const config = { permission: 'token' } as const;
const problems = { '4xx': ref(problemSchema), '5xx': ref(problemSchema) };
const tags = ['deployments'];

type Verdicts = { approve: 'approved'; reject: 'rejected' };
const VERDICTS: Verdicts = { approve: 'approved', reject: 'rejected' };

/** What a person lets a deployment do: its plan approved or rejected, a closed gate overridden. */
export function addApprovalRoutes(
  app: App,
  store: Pick<Store, 'deployments' | 'approvals' | 'gates'>,
  wake: Wake,
): void {
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
  throw new Refusal(
    'forbidden',
    'This token belongs to no person: make one by `slipway token <name> --user <person> --group <group>`.',
  );
}

type Answer = Awaited<ReturnType<Store['approvals']['add']>>;

function refuse({ number, phase }: Deployment, answer: Answer): void {
  switch (answer.answer) {
    case 'noted':
    case 'known':
      return;
    case 'not-waiting':
      throw new Refusal('conflict', `Deployment ${number} waits for no approval: it is ${phase}.`);
    case 'expired':
      throw new Refusal('conflict', `The approval of deployment ${number} has expired.`);
    case 'stale':
      throw new Refusal('plan-stale', `The plan of deployment ${number} is now ${answer.digest}.`);
    case 'not-asked':
      throw new Refusal('forbidden', `Only ${approvers(answer.groups)} may approve this.`);
    case 'author':
      throw new Refusal('forbidden', 'Who pushed or merged a change cannot approve it.');
  }
}
