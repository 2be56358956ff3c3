import { SlipwayError, type CauseCode } from '../../domain/errors.ts';

const RULES: readonly [pattern: RegExp, code: CauseCode, sentence?: string][] = [
  [
    /returned error: 30[12378]/i,
    'git-auth',
    'the forge redirects to another address, as after a rename: correct its url in slipway.yaml',
  ],
  [
    /couldn't find remote ref|not our ref|unadvertised object|did not send all necessary/i,
    'commit-missing',
  ],
  // A checkout says no more than the second, and a fetch than the others.
  [/no space left on device|unable to write file|out of diskspace|couldn't write '/i, 'disk-full'],
  // git's own check of what it was sent: a file named .git, a link in place of .gitmodules.
  [/fsck error/i, 'repository-refused'],
  [
    /authentication failed|could not read (username|password)|permission denied|HTTP 40[13]|requested URL returned error: 40[13]/i,
    'git-auth',
  ],
  [
    /repository .* not found|returned error: 404|does not appear to be a git repository/i,
    'git-auth',
  ],
  [/host key verification failed/i, 'git-auth'],
];

/** Turns a failed git command into an error that says what was being done; output holds no token. */
export function gitError(doing: string, stderr: string): SlipwayError {
  const [, code = 'git-unreachable', sentence] =
    RULES.find(([pattern]) => pattern.test(stderr)) ?? [];
  const last = stderr.trim().split('\n').slice(-3).join(' ').slice(0, 500);
  return new SlipwayError(code, `${doing}: ${sentence ?? (last || 'git gave no reason')}`);
}
