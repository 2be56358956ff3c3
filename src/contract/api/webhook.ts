import { Type, type Static } from 'typebox';
import { named } from './schema.ts';

/** What a forge hears for an authentic event. */
export const webhookAnswerSchema = named(
  'WebhookAnswer',
  Type.Object({
    id: Type.Optional(Type.String({ description: 'Of the stored event.' })),
    duplicate: Type.Optional(Type.Boolean({ description: 'The same push was stored before.' })),
    releaseId: Type.Optional(Type.String({ description: 'What came of it, once it was started.' })),
    ignored: Type.Optional(Type.String({ description: 'Why nothing follows from the event.' })),
  }),
);

export type WebhookAnswer = Static<typeof webhookAnswerSchema>;
