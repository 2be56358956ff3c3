import { SlipwayError } from './errors.ts';

/** What an error of the file system means that says that the disk is full; nothing for any other error. */
export function asDiskFull(error: unknown): SlipwayError | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  if (error.code !== 'ENOSPC' && error.code !== 'EDQUOT') return undefined;
  return new SlipwayError('disk-full', error.message, { cause: error });
}
