import type { Mirror } from '../../../src/adapters/git/mirror.ts';
import { SlipwayError } from '../../../src/domain/errors.ts';
import { startLoopbackServer } from '../../../src/main/dev/loopback-server.ts';

/** What a forge says when it is asked for the head of a branch. */
type Head =
  | { commit: string }
  /** No such branch; not ours to read; nonsense; and what kills whoever asks. */
  | { poison: 'gone' | 'refused' | 'nonsense' | 'deadly' };

export interface SimulatedForge {
  url: string;
  heads: Map<string, Head>;
  /** Requests for these repositories are never answered. */
  silent: Set<string>;
  /** The repositories of those. */
  unanswered: string[];
  stop: () => Promise<void>;
}

/** Branches without git: commits are numbered, and each descends from those with lower numbers. */
export async function startForge(): Promise<SimulatedForge> {
  const heads = new Map<string, Head>();
  const silent = new Set<string>();
  const unanswered: string[] = [];
  const server = await startLoopbackServer((request, response) => {
    const name = request.url?.slice(1) ?? '';
    if (silent.has(name)) {
      unanswered.push(name);
      return;
    }
    response.end(JSON.stringify(heads.get(name) ?? { poison: 'gone' }));
  });
  return { url: server.url, heads, silent, unanswered, stop: server.stop };
}

/** A mirror of one of its branches, for a server in another process. */
export function mirrorOf(forgeUrl: string, repository: string): Mirror {
  const mirror: Pick<Mirror, 'head' | 'isAncestor' | 'commit'> = {
    head: async () => {
      const response = await fetch(`${forgeUrl}/${repository}`).catch((error: unknown) => {
        throw new SlipwayError('git-unreachable', 'the forge is away', { cause: error });
      });
      const head = (await response.json()) as Head;
      if ('commit' in head) return head.commit;
      if (head.poison === 'deadly') process.kill(process.pid, 'SIGKILL');
      if (head.poison === 'gone') throw new SlipwayError('commit-missing', 'There is no branch.');
      if (head.poison === 'refused') throw new SlipwayError('git-auth', 'The token is refused.');
      throw new TypeError('nonsense');
    },
    isAncestor: (older, newer) =>
      Promise.resolve(
        older.slice(0, 8) === newer.slice(0, 8) && numberOf(older) <= numberOf(newer),
      ),
    commit: (commit) =>
      Promise.resolve({
        ...{ commit, title: `Commit ${numberOf(commit)}`, author: 'Ada' },
        committedAt: new Date().toISOString(),
      }),
  };
  // The server asks for no more of a mirror than this.
  return mirror as Mirror;
}

/** The repository in front, the number at the end. */
export function commitOf(repository: number, number: number): string {
  return hex(repository, 8) + hex(number, 32);
}

export function numberOf(commit: string): number {
  return Number.parseInt(commit.slice(8), 16);
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
