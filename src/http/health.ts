import { setTimeout as wait } from 'node:timers/promises';
import type { App } from './server.ts';
import { Type } from 'typebox';
import { named } from '../contract/api/schema.ts';

const CHECK_MS = 2_000;

const readinessSchema = named(
  'Readiness',
  Type.Object({ ready: Type.Boolean(), checks: Type.Record(Type.String(), Type.String()) }),
);

/** For whoever starts and stops the process: alive, and able to take requests. */
export function addHealthRoutes(
  app: App,
  checks: Readonly<Record<string, () => Promise<void>>>,
): void {
  app.get('/healthz', { config: { permission: 'public' } }, () => ({ status: 'ok' }));

  app.get(
    '/readyz',
    {
      config: { permission: 'public' },
      schema: { response: { 200: readinessSchema, 503: readinessSchema } },
    },
    async (_request, reply) => {
      const answers = await Promise.all(
        Object.entries(checks).map(async ([name, check]) => [name, await outcome(check)] as const),
      );
      const ready = answers.every(([, answer]) => answer === 'ok');
      return reply.code(ready ? 200 : 503).send({ ready, checks: Object.fromEntries(answers) });
    },
  );
}

/** Why it failed is in the log of whoever failed; anybody may read this answer. */
async function outcome(check: () => Promise<void>): Promise<'ok' | 'failed' | 'no answer'> {
  const limit = new AbortController();
  try {
    return await Promise.race([
      check().then(() => 'ok' as const),
      wait(CHECK_MS, 'no answer' as const, { signal: limit.signal }),
    ]);
  } catch {
    return 'failed';
  } finally {
    limit.abort();
  }
}
