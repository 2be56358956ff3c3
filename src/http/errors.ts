import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Problem } from '../contract/api/problem.ts';
import { CAUSES, Refusal, REFUSALS, SlipwayError, type RefusalCode } from '../domain/errors.ts';
import type { App } from './server.ts';

/** The one place where errors become answers: RFC 9457 problems. */
export function answerErrorsAsProblems(app: App): void {
  app.setErrorHandler(answerError);
  app.setNotFoundHandler((request, reply) =>
    send(request, reply, {
      status: 404,
      code: 'not-found',
      detail: 'There is nothing at this address.',
    }),
  );
}

/** For the error handler, and for errors that come before any route is known. */
export function answerError(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const answer = judge(error);
  if (answer.status >= 500) {
    request.log.error({ err: error, requestId: request.id }, 'request failed');
  }
  return send(request, reply, answer);
}

interface Answer {
  status: number;
  code: string;
  detail: string;
  errors?: { pointer: string; detail: string }[];
}

const TITLES: Record<RefusalCode, string> = {
  malformed: 'The request cannot be read',
  'not-signed-in': 'Sign in first',
  forbidden: 'Not allowed',
  'not-found': 'Not found',
  conflict: 'Not possible now',
  'plan-stale': 'The plan is another one now',
  'too-large': 'Too large',
  'unsupported-type': 'Content type not supported',
  invalid: 'The request is not valid',
  unavailable: 'Not available now',
};

/** From 500 up the text stays inside: it may name what only operators should see. */
const HIDDEN = 'Slipway could not do this. The request id leads to the reason in the log.';

function judge(error: FastifyError): Answer {
  if (error instanceof Refusal) return refused(error.code, error.message);
  if (error instanceof SlipwayError) return unable(error);
  if (error.validation) {
    return {
      ...refused('invalid', error.message),
      errors: error.validation.map(({ instancePath, message }) => ({
        pointer: `/${error.validationContext ?? 'request'}${instancePath}`,
        detail: message ?? 'not valid',
      })),
    };
  }
  const status = error.statusCode ?? 500;
  if (status === 413) return refused('too-large', error.message);
  if (status === 415) return refused('unsupported-type', error.message);
  if (status === 503) return refused('unavailable', error.message);
  if (status >= 400 && status < 500) return refused('malformed', error.message);
  return { status: 500, code: 'internal', detail: HIDDEN };
}

function refused(code: RefusalCode, message: string): Answer {
  const status = REFUSALS[code].http;
  return { status, code, detail: status >= 500 ? HIDDEN : message };
}

/** A neighbour failed: what passes is tried again later, what the caller asked for wrongly is said. */
function unable({ code, message }: SlipwayError): Answer {
  const { kind, phase } = CAUSES[code];
  if (kind === 'transient') return { status: 503, code, detail: HIDDEN };
  if (phase === 'errored') return { status: 500, code, detail: HIDDEN };
  return { status: 422, code, detail: message };
}

function send(request: FastifyRequest, reply: FastifyReply, answer: Answer): FastifyReply {
  const { status, code, detail, errors } = answer;
  const title = code in TITLES ? TITLES[code as RefusalCode] : 'Slipway could not do this';
  const problem: Problem = {
    type: `/docs/api#${code}`,
    title,
    status,
    detail,
    instance: request.url.split('?', 1)[0] ?? '',
    code,
    requestId: request.id,
    ...(errors ? { errors } : {}),
  };
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  if (status === 503) reply.header('retry-after', '5');
  return reply.code(status).type('application/problem+json').send(problem);
}
