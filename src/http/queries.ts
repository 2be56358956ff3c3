import { Type } from 'typebox';

/** Query parameters come as text and stay text in the schema: nothing is coerced. */

const LIMIT_DEFAULT = 50;

export const limitParameter = Type.Optional(
  Type.String({
    pattern: '^([1-9][0-9]?|1[0-9][0-9]|200)$',
    description: '1 to 200, 50 by default.',
  }),
);

export const cursorParameter = Type.Optional(
  Type.String({ pattern: '^[0-9]{1,9}$', description: 'nextCursor of the page before.' }),
);

export function limitOf(query: { limit?: string }): number {
  return query.limit === undefined ? LIMIT_DEFAULT : Number(query.limit);
}

export const idParameter = Type.Object({
  id: Type.String({
    pattern: '^([a-z]{3}_[0-9a-f-]{36}|[1-9][0-9]{0,8})$',
    description: 'Id or short number.',
  }),
});

/** The id of a stop or a freeze. */
export const gateParameter = Type.Object({
  id: Type.String({ pattern: '^[a-z]{3}_[0-9a-f-]{36}$' }),
});

/** Names of repositories and environments. */
export const nameParameter = Type.String({ minLength: 1, maxLength: 63 });
