import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { sendPush } from '../../support/github-push.ts';
import { commitOf, numberOf } from './forge.ts';
import { forgeAddress, WEBHOOK_SECRET, type Rig } from './rig.ts';

export interface Push {
  repository: string;
  before: string;
  after: string;
  pushedAt: Date;
  /** How many deliveries were answered with 2xx. */
  accepted: number;
}

let repositoriesMade = 0;

/** Repositories of a test of their own, with a first commit that nobody was told of. */
export function newRepositories(rig: Rig, what: string, count: number): string[] {
  return Array.from({ length: count }, () => {
    repositoriesMade += 1;
    const name = `${what}-${repositoriesMade}`;
    rig.forge.heads.set(name, { commit: commitOf(repositoriesMade, 1) });
    return name;
  });
}

/** Moves the branch on by one commit. */
export function push(rig: Rig, repository: string): Push {
  const head = rig.forge.heads.get(repository);
  if (!head || !('commit' in head)) throw new Error(`${repository} has no head`);
  const before = head.commit;
  const after = commitOf(Number.parseInt(before.slice(0, 8), 16), numberOf(before) + 1);
  rig.forge.heads.set(repository, { commit: after });
  return { repository, before, after, pushedAt: new Date(), accepted: 0 };
}

/** Tells a server of a push, as a forge does: once, whatever the answer. */
export async function deliver(url: string, pushed: Push): Promise<void> {
  const { repository, before, after } = pushed;
  const answer = await sendPush(
    {
      webhookUrl: `${url}/webhooks/github/${repository}`,
      webhookSecret: WEBHOOK_SECRET,
      repository: { url: forgeAddress(repository) },
    },
    { before, after },
  ).catch(() => undefined);
  if (answer?.status === 202) pushed.accepted += 1;
}

/**
 * Pushes to the repositories in turn, as fast as `everyMs` says, and has each push delivered one to
 * seven times, to servers chosen by chance, at once or a little later than pushes that follow it.
 */
export async function pushMany(
  rig: Rig,
  options: {
    repositories: readonly string[];
    urls: readonly string[];
    pushes: number;
    everyMs: number;
  },
): Promise<Push[]> {
  const { repositories, urls, pushes, everyMs } = options;
  const made: Push[] = [];
  const deliveries: Promise<void>[] = [];
  for (let number = 0; number < pushes; number += 1) {
    const pushed = push(rig, repositories[number % repositories.length] ?? '');
    made.push(pushed);
    for (let copy = randomInt(1, 8); copy > 0; copy -= 1) {
      const url = urls[randomInt(urls.length)] ?? '';
      deliveries.push(delay(randomInt(2_000)).then(() => deliver(url, pushed)));
    }
    await delay(everyMs);
  }
  await Promise.all(deliveries);
  return made;
}
