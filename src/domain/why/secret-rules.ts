import { saidLines } from './evidence.ts';
import type { Rule } from './rule.ts';

/** What helm-secrets says of a file; what its backend said stands before. */
export const notDecrypted: Rule = ({ said }) => {
  const lines = saidLines(said);
  const at = lines.findIndex((line) => line.includes('Error while decrypting file: '));
  const file = /Error while decrypting file: (?:.*\/tree\/)?(\S+)/.exec(lines[at] ?? '')?.[1];
  if (file === undefined) return undefined;
  const first = at > 0 ? (lines[0] ?? '') : '';
  const why = first.replace(/^(evaluating|decrypting) [^:]*: /, '').replace(/\.?( In)?$/, '');
  const sentence = `${file} could not be decrypted${why === '' ? '' : `: ${why}`}. The key belongs into the environment's \`variables\`.`;
  return { code: 'values-missing', sentence };
};
