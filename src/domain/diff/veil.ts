import { isList, isObject, type Json, type ResourceId } from './resource.ts';

/** Stands where a value was. */
export const HIDDEN = '(hidden)';

/** Masks known secrets in text. */
export interface Redaction {
  /** In values: a Secret's value is a secret wherever it stands. */
  value: (text: string) => string;
  /** In names and keys, where a Secret's value (a user called as the service) gives nothing away. */
  name: (text: string) => string;
}

/** What of a resource may be seen. */
export interface Veil {
  /** The value that stands at these steps of the resource, with what is secret in it hidden. */
  value: (steps: readonly string[], value: Json) => Json;
  name: (text: string) => string;
}

/** The redactor's mask: the text was redacted before it came here. */
const MASK = '‹masked›';
/** Of a Secret, everything else is its content, also what a mistaken template made of it. */
const OPEN_IN_SECRETS = new Set(['apiVersion', 'kind', 'metadata', 'type', 'immutable']);
/** Kubectl's copy of the whole resource. */
const COPY = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * Makes the veil for a resource: of a Secret only the keys are seen, and elsewhere a value that holds a
 * known secret is hidden whole, since what stands around it may tell of it.
 */
export function createVeil({ group, kind }: ResourceId, redact: Redaction): Veil {
  const isSecret = group === '' && kind === 'Secret';
  const mustHide = (text: string) => text.includes(MASK) || redact.value(text) !== text;

  function veiled(steps: readonly string[], value: Json): Json {
    const inContent = isSecret && isContent(steps);
    if (inContent && (steps.length > 1 || !isObject(value))) return HIDDEN;
    if (isList(value)) return value.map((item, index) => veiled([...steps, String(index)], item));
    if (isObject(value)) {
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [
          redact.name(key),
          veiled([...steps, key], item),
        ]),
      );
    }
    return mustHide(String(value)) ? HIDDEN : value;
  }
  return { value: veiled, name: redact.name };
}

function isContent([top, , annotation]: readonly string[]): boolean {
  if (top === undefined) return false;
  return !OPEN_IN_SECRETS.has(top) || annotation === COPY;
}
