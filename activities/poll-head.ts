import type { Mirror } from '../src/adapters/git/mirror.ts';
import type { PollInput, PollResult } from '../src/contract/workflow/payloads.ts';
import type { CauseReport } from '../src/domain/cause.ts';
import { CAUSES, SlipwayError } from '../src/domain/errors.ts';
import { beating } from './heartbeat.ts';

export interface PollDeps {
  mirror: (repository: string) => Pick<Mirror, 'head'>;
  /** The branch that is released; undefined for a repository that is not configured any more. */
  branch: (repository: string) => string | undefined;
  heads: {
    addHead: (head: {
      repository: string;
      ref: string;
      commit: string;
    }) => Promise<'released' | 'waiting' | 'parked' | 'stored'>;
  };
  /** Remembers what was seen, so that people find it; each answers whether it is news. */
  seen: {
    succeeded: (look: { repository: string; commit: string }) => Promise<{ recovered: boolean }>;
    failed: (look: { repository: string; cause: CauseReport }) => Promise<{ isNew: boolean }>;
  };
  log: Record<'info' | 'error', (fields: Record<string, unknown>, message: string) => void>;
}

/**
 * Reads the head of a branch and puts it into the inbox unless it is known. What a person has to mend,
 * such as a branch that is gone, is the poll's answer; what passes by itself is thrown and tried again.
 */
export function createPollHead(deps: PollDeps): (input: PollInput) => Promise<PollResult> {
  return ({ repository }) =>
    beating(async (signal) => {
      const branch = deps.branch(repository);
      if (branch === undefined) return { answer: 'not-configured' };
      let commit: string;
      try {
        commit = await deps.mirror(repository).head(signal);
      } catch (error) {
        if (!(error instanceof SlipwayError)) throw error;
        const cause = { code: error.code, sentence: error.message };
        const { isNew } = await deps.seen.failed({ repository, cause });
        if (isNew) deps.log.error({ repository, ...cause }, 'the branch cannot be read');
        if (CAUSES[error.code].kind === 'transient') throw error;
        return { answer: 'unreadable', cause };
      }
      const { recovered } = await deps.seen.succeeded({ repository, commit });
      if (recovered) deps.log.info({ repository }, 'the branch can be read again');
      const ref = `refs/heads/${branch}`;
      return { answer: await deps.heads.addHead({ repository, ref, commit }), commit };
    });
}
