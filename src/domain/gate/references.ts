import { allowOfProvider } from './allow.ts';
import type { Refusal } from './refusal.ts';

const REFERENCE = /(?:secret)?ref\+([A-Za-z0-9]+):\/\//g;

/** The providers of vals that a text refers to, each once. */
function providersIn(text: string): string[] {
  return [...new Set(Array.from(text.matchAll(REFERENCE), ([, provider = '']) => provider))];
}

/** What is refused of the references in a text. Their addresses may be secret and are not shown. */
export function refusedReferences(
  text: string,
  place: Pick<Refusal, 'file' | 'service' | 'key'>,
  allow: readonly string[],
): Refusal[] {
  return providersIn(text).flatMap((provider) => {
    const entry = allowOfProvider(provider);
    if (entry !== undefined && allow.includes(entry)) return [];
    const why = `refers to ref+${provider}://`;
    return [{ ...place, why, ...(entry === undefined ? {} : { allow: entry }) }];
  });
}

/** The lines that count: a comment is not evaluated. */
export function withoutComments(text: string): string {
  return text.replace(/^[ \t]*#.*$/gm, '');
}
