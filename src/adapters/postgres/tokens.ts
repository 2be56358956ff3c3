import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Db } from './database.ts';
import { newId, NOW } from './values.ts';

/** Whose token it is, where it is a person's and not a machine's. */
export interface TokenPerson {
  person: string;
  groups: readonly string[];
  /** Who they are at the forge, such as `github:4711`. */
  forgeUser?: string;
}

export interface TokenOwner {
  name: string;
  person?: TokenPerson;
  /** Of a cluster's worker. */
  cluster?: string;
}

/** Opaque tokens of machines. Only their hash is stored, so reading the database gives no access. */
export function createTokens(db: Db) {
  return {
    /** The token itself is shown this once. */
    create: async (input: {
      name: string;
      expiresAt?: string;
      person?: TokenPerson;
      /** Makes it the token of this cluster's worker, which may nothing else. */
      cluster?: string;
    }): Promise<{ token: string }> => {
      const token = `slp_${randomBytes(32).toString('base64url')}`;
      await db
        .insertInto('tokens')
        .values({
          id: newId('tok'),
          name: input.name,
          prefix: token.slice(0, 10),
          sha256: hash(token),
          person: input.person?.person ?? null,
          groups: [...(input.person?.groups ?? [])],
          forge_user: input.person?.forgeUser ?? null,
          cluster: input.cluster ?? null,
          expires_at: input.expiresAt === undefined ? null : new Date(input.expiresAt),
        })
        .execute();
      return { token };
    },

    /**
     * Whose token it is, if it is one. Looking up the hash leaks no timing about the token: who does
     * not know it cannot steer its hash.
     */
    verify: async (token: string): Promise<TokenOwner | undefined> => {
      const found = await db
        .selectFrom('tokens')
        .select(['id', 'name', 'person', 'groups', 'forge_user', 'cluster', 'last_used_at'])
        .where('sha256', '=', hash(token))
        .where((is) => is.or([is('expires_at', 'is', null), is('expires_at', '>', NOW)]))
        .executeTakeFirst();
      if (!found) return undefined;
      await noteUse(db, found.id);
      const { name, person, groups, forge_user: forgeUser, cluster } = found;
      if (cluster !== null) return { name, cluster };
      if (person === null) return { name };
      const known = { person, groups, ...(forgeUser === null ? {} : { forgeUser }) };
      return { name, person: known };
    },
  };
}

/** At most once a minute, so that reading the API does not write all the time. */
async function noteUse(db: Db, id: string): Promise<void> {
  await db
    .updateTable('tokens')
    .set({ last_used_at: NOW })
    .where('id', '=', id)
    .where((is) =>
      is.or([
        is('last_used_at', 'is', null),
        is('last_used_at', '<', sql<Date>`now() - interval '1 minute'`),
      ]),
    )
    .execute();
}

function hash(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest();
}
