import { Ajv, type ErrorObject } from 'ajv';
import { didYouMean } from '../domain/did-you-mean.ts';
import { formatPath, quote, type Finding, type Path } from './problems.ts';
import { configSchema } from './schema.ts';

type Keywords = Record<string, unknown>;

const ajv = new Ajv({
  allErrors: true,
  verbose: true,
  allowUnionTypes: true,
  strictRequired: false,
});
const validate = ajv.compile(configSchema);

/** Keys that are designed but not enforced yet: accepting them silently would promise protection. */
const NOT_YET: Record<string, readonly string[]> = {
  repositories: ['serverSideApply'],
  temporal: ['profile'],
};

/** What the schema says against a raw configuration, in words for the person who wrote it. */
export function checkSchema(raw: unknown): Finding[] {
  if (validate(raw)) return [];
  return (validate.errors ?? [])
    .filter(isWanted)
    .map((error) => explain(error, toPath(error.instancePath, raw)));
}

function isWanted(error: ErrorObject): boolean {
  // rules.ts says in words what `oneOf` is there for; a bad key is reported once, not by its pattern.
  return !error.schemaPath.includes('/oneOf') && error.propertyName === undefined;
}

function explain(error: ErrorObject, path: Path): Finding {
  const params = error.params as Keywords;
  const name = path.length === 0 ? 'the file' : formatPath(path);
  if (isSecret(error) && !['type', 'minItems', 'maxItems'].includes(error.keyword)) {
    return value(path, `${name} is not a secret`, 'use { env: NAME } or { file: path }');
  }
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownKey(error, [...path, String(params['additionalProperty'])]);
    case 'required': {
      const missing = formatPath([...path, String(params['missingProperty'])]);
      return { path, at: 'key', message: `${missing} is missing`, fix: 'add it' };
    }
    case 'propertyNames': {
      const key = String(params['propertyName']);
      const title = String((error.parentSchema?.['propertyNames'] as Keywords)['title']);
      return { path: [...path, key], at: 'key', message: `${quote(key)} must be ${title}` };
    }
    case 'type':
      return wrongType(error, path, name);
    case 'uniqueItems':
      return value(
        [...path, Math.max(Number(params['i']), Number(params['j']))],
        `${name} lists this twice`,
        'remove it',
      );
    case 'minProperties':
    case 'minItems':
      return value(path, `${name} needs at least one entry`);
    case 'maxItems':
      return value(path, `${name} has more than ${String(params['limit'])} entries`);
    default:
      return value(path, `${name} must be ${String(error.parentSchema?.['title'])}`);
  }
}

function wrongType(error: ErrorObject, path: Path, name: string): Finding {
  const title = String(error.parentSchema?.['title']);
  const types = [error.parentSchema?.['type']].flat();
  if (error.data === null) return value(path, `${name} is empty`, `it must be ${title}`);
  if (typeof error.data === 'string' && isSecret(error)) {
    return value(path, `${name} is a plain value`, 'use { env: NAME } or { file: path }');
  }
  const { data } = error as { data: unknown };
  const pattern = new RegExp(String(error.parentSchema?.['pattern'] ?? ''));
  if (typeof data === 'number' || typeof data === 'boolean') {
    if (types.includes('string') && pattern.test(String(data))) {
      return value(path, `${name} is a ${typeof data}`, 'put it in quotes');
    }
  }
  return value(path, `${name} must be ${title}`);
}

function unknownKey(error: ErrorObject, path: Path): Finding {
  const key = String(path.at(-1));
  const finding = { path, at: 'key' } as const;
  const section = String(path[0]);
  if (Object.hasOwn(NOT_YET, section) && NOT_YET[section]?.includes(key)) {
    return { ...finding, message: `${quote(key)} is not supported yet: remove it` };
  }
  if (key === '<<') {
    return { ...finding, message: 'merge keys (<<) are not supported', fix: 'write the keys out' };
  }
  const known = Object.keys((error.parentSchema?.['properties'] ?? {}) as Keywords);
  const meant = didYouMean(key, known);
  const fix = meant === undefined ? `known here: ${known.join(', ')}` : `did you mean "${meant}"?`;
  return { ...finding, message: `unknown key ${quote(key)}`, fix };
}

function isSecret(error: ErrorObject): boolean {
  const properties = error.parentSchema?.['properties'] as Keywords | undefined;
  return properties !== undefined && 'env' in properties && 'file' in properties;
}

function value(path: Path, message: string, fix?: string): Finding {
  return { path, at: 'value', message, ...(fix === undefined ? {} : { fix }) };
}

/** A JSON pointer as a path; only the data tells an index from a key made of digits. */
function toPath(pointer: string, raw: unknown): Path {
  const path: (string | number)[] = [];
  let node = raw;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(node) ? Number(key) : key);
    node = (node as Keywords)[key];
  }
  return path;
}
