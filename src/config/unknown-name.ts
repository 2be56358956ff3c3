import { didYouMean } from '../domain/did-you-mean.ts';
import { formatPath, quote, type Finding, type Path } from './problems.ts';

/** A name that stands for nothing, with the nearest of those that do. */
export function unknownName(
  path: Path,
  what: string,
  name: string,
  known: readonly string[],
): Finding {
  const meant = didYouMean(name, known);
  const message = `${formatPath(path)}: there is no ${what} ${quote(name)}`;
  const list = known.length === 0 ? 'none is there' : `known: ${known.slice(0, 20).join(', ')}`;
  return { path, at: 'value', message, fix: meant ? `did you mean "${meant}"?` : list };
}
