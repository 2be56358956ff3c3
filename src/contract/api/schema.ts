import { Type, type Static, type TSchema } from 'typebox';

/** Small words in which the schemas of this folder are written. */

/** A point in time: RFC 3339 in UTC. */
export const timestamp = Type.String({ format: 'date-time' });

/** A full commit id. */
export const commitId = Type.String({ pattern: '^[0-9a-f]{40}$' });

/** A sentence of a person, for the record. */
export const reasonText = Type.String({ minLength: 1, maxLength: 500 });

/** Of a body: what it does not name is a mistake. */
export const closed = { additionalProperties: false };

/** Always present, `null` where there is nothing to say. */
export function nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()]);
}

/** Gives a schema the name under which OpenAPI lists it and others refer to it. */
export function named<T extends TSchema>(name: string, schema: T): T & { $id: string } {
  return Object.assign(schema, { $id: name });
}

/** Points at a named schema instead of repeating it. */
export function ref<T extends TSchema & { $id: string }>(schema: T) {
  return Type.Unsafe<Static<T>>({ $ref: `${schema.$id}#` });
}

/** A page of a list: `nextCursor` asks for the next one and is `null` on the last. */
export function page<T extends TSchema>(name: string, item: T) {
  return named(name, Type.Object({ items: Type.Array(item), nextCursor: nullable(Type.String()) }));
}
