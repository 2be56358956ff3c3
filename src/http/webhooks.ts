import type { FastifyRequest } from 'fastify';
import { randomBytes } from 'node:crypto';
import { Type } from 'typebox';
import { problemSchema } from '../contract/api/problem.ts';
import { ref } from '../contract/api/schema.ts';
import { webhookAnswerSchema, type WebhookAnswer } from '../contract/api/webhook.ts';
import { Refusal } from '../domain/errors.ts';
import { createBodySlots } from './body-slots.ts';
import { parseBounded } from './bounded-json.ts';
import type { AppDependencies, ServedRepository } from './dependencies.ts';
import { readPush, whyIgnored, type GithubPush } from './github.ts';
import type { App } from './server.ts';
import { checkSignature, isSigned } from './signature.ts';

/** GitHub sends 25 MiB at most; the rest is for what stands around it. */
const BODY_BYTES_MAX = 26_214_400 + 65_536;

/** Nothing of a larger body is read. */
const CHECKED_BYTES_MAX = 134_217_728;

/** A usual push has some 10 kB. Whoever sends large ones, signed or not, finds these places only. */
const BODY_POOLS = [
  { bytesMax: 1_048_576, places: 64 },
  { bytesMax: BODY_BYTES_MAX, places: 2 },
  { bytesMax: CHECKED_BYTES_MAX, places: 1 },
];

/** Stands for the secrets of a repository that is not there, so that asking for one takes as long. */
const NOBODYS_SECRET = randomBytes(32).toString('hex');

type WebhookDependencies = Pick<AppDependencies, 'store' | 'repositories'>;

/**
 * Takes what forges report. In a scope of its own: here bodies are large and stay raw bytes, because
 * the signature is over those and nothing is parsed before it was found right.
 */
export function addWebhookRoutes(scope: App, deps: WebhookDependencies): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX },
    (_request, body, done) => {
      done(null, body);
    },
  );
  limitBodies(scope, deps);
  scope.post(
    '/webhooks/github/:repository',
    {
      bodyLimit: BODY_BYTES_MAX,
      config: { permission: 'signature' },
      schema: {
        summary: 'Takes an event of GitHub',
        tags: ['webhooks'],
        security: [],
        params: Type.Object({ repository: Type.String() }),
        response: {
          200: ref(webhookAnswerSchema),
          202: ref(webhookAnswerSchema),
          '4xx': ref(problemSchema),
          '5xx': ref(problemSchema),
        },
      },
    },
    async (request, reply) => {
      const { status, answer } = await takeGithubEvent(deps, request.params.repository, request);
      return reply.code(status).send(answer);
    },
  );
}

/** Refuses a body for which there is no room before reading any of it; the poll finds what it told of. */
function limitBodies(scope: App, deps: WebhookDependencies): void {
  const { repositories } = deps;
  const slots = createBodySlots(BODY_POOLS);
  scope.addHook('onRequest', async (request, reply) => {
    const declared = Number(request.headers['content-length'] ?? BODY_BYTES_MAX);
    const { repository = '' } = request.params as { repository?: string };
    // Nobody's large body is read for a repository that is not there.
    const isLarge = declared > (BODY_POOLS[0]?.bytesMax ?? 0);
    if (isLarge && declared <= BODY_BYTES_MAX && !repositories().has(repository)) {
      reply.header('connection', 'close');
      throw new Refusal('not-found', 'No webhook is configured for this repository.');
    }
    const giveBack = slots.take(declared);
    // Closed comes in every case, also when the sender goes away.
    if (giveBack) reply.raw.once('close', giveBack);
    if (declared > BODY_BYTES_MAX) {
      if (giveBack && (await isSignedPush(deps, repository, request))) {
        await lookAt(deps, repository);
        throw new Refusal('too-large', 'The body is too large; the branch is looked at instead.');
      }
      reply.header('connection', 'close');
      throw new Refusal('too-large', 'The body is too large.');
    }
    if (!giveBack) {
      // Or the rest of the body would still be read, to throw it away.
      reply.header('connection', 'close');
      throw new Refusal('unavailable', 'too many bodies at once');
    }
  });
}

/** Whether a body that is too large to be kept is a forge's own; none of it stays in memory. */
async function isSignedPush(
  deps: WebhookDependencies,
  name: string,
  request: FastifyRequest,
): Promise<boolean> {
  const secrets = deps.repositories().get(name)?.webhookSecrets ?? [];
  if (secrets.length === 0 || header(request, 'x-github-event') !== 'push') return false;
  const check = checkSignature(request.headers['x-hub-signature-256'], secrets);
  for await (const piece of request.raw) check.add(piece as Buffer);
  return check.isSigned();
}

async function lookAt({ store, repositories }: WebhookDependencies, name: string): Promise<void> {
  const ref = `refs/heads/${repositories().get(name)?.branch ?? ''}`;
  await store.inbox.addLook({ repository: name, ref });
}

async function takeGithubEvent(
  deps: WebhookDependencies,
  name: string,
  request: FastifyRequest,
): Promise<{ status: 200 | 202; answer: WebhookAnswer }> {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const repository = deps.repositories().get(name);
  const secrets = repository?.webhookSecrets ?? [];
  const signed = isSigned(
    body,
    request.headers['x-hub-signature-256'],
    secrets.length > 0 ? secrets : [NOBODYS_SECRET],
  );
  if (!repository || secrets.length === 0) {
    throw new Refusal('not-found', 'No webhook is configured for this repository.');
  }
  if (!signed) throw new Refusal('not-signed-in', 'The signature is missing or wrong.');

  const kind = header(request, 'x-github-event').slice(0, 50);
  if (kind === 'ping') return { status: 200, answer: { ignored: 'a ping asks for nothing' } };
  const push = kind === 'push' ? readPush(parseBounded(body)) : undefined;
  const why = whyNothing(kind, push, repository);
  const event = {
    repository: name,
    delivery: header(request, 'x-github-delivery').slice(0, 100),
    headers: keptHeaders(request),
    body,
    ...(push?.sender ? { sender: push.sender } : {}),
    ...(push ? { push: { ref: push.ref, before: push.before, after: push.after } } : {}),
  };
  if (why === undefined) {
    return { status: 202, answer: await deps.store.inbox.addEvent(event) };
  }
  await deps.store.inbox.addEvent({ ...event, ignored: why });
  return { status: 202, answer: { ignored: why } };
}

function whyNothing(
  kind: string,
  push: GithubPush | undefined,
  repository: ServedRepository,
): string | undefined {
  if (kind !== 'push') return `the event ${kind} starts nothing`;
  return push ? whyIgnored(push, repository) : 'the body is not that of a push';
}

/** With the raw body they prove later what came from whom; none of them is a secret. */
const KEPT_HEADERS = [
  'content-type',
  'user-agent',
  'x-github-delivery',
  'x-github-event',
  'x-github-hook-id',
  'x-hub-signature-256',
] as const;

function keptHeaders(request: FastifyRequest): Record<string, string> {
  return Object.fromEntries(
    KEPT_HEADERS.map((name) => [name, header(request, name).slice(0, 200)]),
  );
}

function header(request: FastifyRequest, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
}
