import { Type, type Static } from 'typebox';
import { named, nullable, page, timestamp } from './schema.ts';

/** What came in: reported pushes, heads that the poll found, and runs that were asked for. */

export const INBOX_STATES = ['waiting', 'parked', 'done', 'ignored'] as const;

export type InboxState = (typeof INBOX_STATES)[number];

export const inboxEntrySchema = named(
  'InboxEntry',
  Type.Object({
    id: Type.String(),
    source: Type.Enum(['webhook', 'poll', 'api']),
    repository: Type.String(),
    state: Type.Enum([...INBOX_STATES]),
    receivedAt: timestamp,
    ref: nullable(Type.String()),
    before: nullable(Type.String()),
    after: nullable(Type.String()),
    sender: nullable(Type.String({ description: 'Login of whoever pushed.' })),
    deliveries: Type.Integer({ description: 'How often the forge delivered it, by its ids.' }),
    tries: Type.Integer(),
    releaseId: nullable(Type.String()),
    ignored: nullable(Type.String({ description: 'Why nothing follows from it.' })),
    error: nullable(Type.String({ description: 'Why the last try did not succeed.' })),
  }),
);

export type InboxEntry = Static<typeof inboxEntrySchema>;

export const inboxPageSchema = page('InboxPage', inboxEntrySchema);

export type InboxPage = Static<typeof inboxPageSchema>;
