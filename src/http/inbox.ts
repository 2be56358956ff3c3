import { Type } from 'typebox';
import type { Store } from '../adapters/postgres/store.ts';
import {
  INBOX_STATES,
  inboxEntrySchema,
  inboxPageSchema,
  type InboxEntry,
} from '../contract/api/inbox.ts';
import { problemSchema } from '../contract/api/problem.ts';
import { ref } from '../contract/api/schema.ts';
import { Refusal } from '../domain/errors.ts';
import { limitOf, limitParameter } from './queries.ts';
import type { App } from './server.ts';

const config = { permission: 'token' } as const;
const problems = { '4xx': ref(problemSchema), '5xx': ref(problemSchema) };
const tags = ['inbox'];
const id = Type.String({ pattern: '^inb_[0-9a-f-]{36}$' });

/** What came in and what became of it, and the way back for what was parked. */
export function addInboxRoutes(app: App, inbox: Store['inboxEntries']): void {
  app.get(
    '/api/v1/inbox',
    {
      config,
      schema: {
        summary: 'Lists what came in, newest first',
        tags,
        querystring: Type.Object(
          {
            state: Type.Optional(Type.Enum([...INBOX_STATES])),
            limit: limitParameter,
            cursor: Type.Optional(id),
          },
          { additionalProperties: false },
        ),
        response: { 200: ref(inboxPageSchema), ...problems },
      },
    },
    ({ query }) => inbox.list({ ...query, limit: limitOf(query) }),
  );

  app.get(
    '/api/v1/inbox/:id',
    {
      config,
      schema: {
        summary: 'Shows what became of one event',
        tags,
        params: Type.Object({ id }),
        response: { 200: ref(inboxEntrySchema), ...problems },
      },
    },
    ({ params }) => mustFind(params.id),
  );

  app.post(
    '/api/v1/inbox/:id/retry',
    {
      config,
      schema: {
        summary: 'Tries a parked event again',
        tags,
        params: Type.Object({ id }),
        response: { 202: ref(inboxEntrySchema), ...problems },
      },
    },
    async ({ params, actor, id: requestId }, reply) => {
      const entry = await mustFind(params.id);
      if (!(await inbox.revive({ id: entry.id, actor, requestId }))) {
        throw new Refusal('conflict', `${entry.id} is not parked, it is ${entry.state}.`);
      }
      return reply.code(202).send(await mustFind(entry.id));
    },
  );

  async function mustFind(entryId: string): Promise<InboxEntry> {
    const entry = await inbox.find(entryId);
    if (entry) return entry;
    throw new Refusal('not-found', `Nothing came in as ${entryId}.`);
  }
}
