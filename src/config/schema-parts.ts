import { Type, type Static, type TSchema } from 'typebox';
import { DURATION_PATTERN } from './duration.ts';

/**
 * The pieces that the schema of slipway.yaml is made of.
 *
 * A `title` finishes the sentence "must be …" and is what an error says; a `description` is for
 * the person who writes the file.
 */

const NAME = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
const NAME_PATTERN = `^${NAME}$`;
const NAME_TITLE =
  'at most 63 lower-case letters, digits and hyphens, with a letter or digit at both ends';
const HOST_PORT_PATTERN = '^([A-Za-z0-9][A-Za-z0-9.-]*|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5}$';

export const closed = { additionalProperties: false };

export const text = (title: string, description: string, more: Record<string, unknown> = {}) =>
  Type.String({ title, description, ...more });

export const named = (description: string) =>
  text(NAME_TITLE, description, { pattern: NAME_PATTERN });

/** An environment of the same repository, or of another one. */
export const PLACE_PATTERN = `^${NAME}(/${NAME})?$`;

export const absolutePath = (description: string) =>
  text('an absolute path', description, { pattern: '^/[^\\u0000]*$' });

export const hostPort = (description: string) =>
  text('host:port', description, { pattern: HOST_PORT_PATTERN });

export const duration = (description: string) =>
  text('a duration such as 500ms, 30s, 10m or 2h', description, { pattern: DURATION_PATTERN });

export const positiveDuration = (description: string) =>
  text('a duration above zero such as 500ms, 30s, 10m or 2h', description, {
    pattern: `^(?!0+[a-z])${DURATION_PATTERN.slice(1)}`,
  });

export const integer = (minimum: number, maximum: number, description: string) =>
  Type.Integer({
    title: `a whole number from ${minimum} to ${maximum}`,
    description,
    minimum,
    maximum,
  });

/** A map whose keys people choose. */
export function mapOf<T extends TSchema>(
  key: { title: string; pattern: string },
  value: T,
  description: string,
  more: Record<string, unknown> = {},
) {
  return Type.Unsafe<Record<string, Static<T>>>({
    type: 'object',
    title: 'a map',
    description,
    propertyNames: key,
    additionalProperties: value,
    ...more,
  });
}

export const byName = { title: NAME_TITLE, pattern: NAME_PATTERN };

export interface RawSecret {
  env?: string;
  file?: string;
}

// Flat rather than `anyOf`, also below where a list or plain text is allowed too: of an `anyOf`
// a validator can only say that no branch fits.
export const secretKeywords = {
  title: 'a secret, { env: NAME } or { file: path }',
  properties: {
    env: text('the name of an environment variable', 'Environment variable of the process.', {
      pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
    }),
    file: absolutePath('File with the value; one newline at its end is ignored.'),
  },
  minProperties: 1,
  maxProperties: 1,
  ...closed,
};

export const secret = (description: string) =>
  Type.Unsafe<RawSecret>({ type: 'object', ...secretKeywords, description });
