import type { PlannedService } from '../services.ts';
import type { Verdict, Waiting } from './facts.ts';
import { isAsked, mayNotApprove, refusalInWords, type Asker } from './may-approve.ts';

/** What is known of a plan that waits for approval. */
interface WaitingPlan<V> {
  waiting: Pick<Waiting, 'groups' | 'count' | 'until'>;
  /** What people said of it. */
  verdicts: readonly V[];
  /** Forge users who pushed or merged what it brings. */
  authors: ReadonlySet<string>;
}

/** Where a plan stands: the approvals that count, how many are missing, and whether the asker may add one. */
export function approvalStanding<V extends Verdict & { forgeUser: string | null }>(
  { waiting, verdicts, authors }: WaitingPlan<V>,
  asker: (Asker & { forgeUser?: string }) | undefined,
  now: string,
) {
  const { groups = [], count: required = 1 } = waiting;
  const approvals = verdicts.filter(
    (one) =>
      one.verdict === 'approved' &&
      isAsked(groups, one.groups) &&
      !authors.has(one.forgeUser ?? ''),
  );
  const missing = Math.max(required - approvals.length, 0);
  const why = whyNot();
  return { groups, required, approvals, missing, you: { mayApprove: why === null, why } };

  function whyNot(): string | null {
    const refused = mayNotApprove(waiting, asker, authors.has(asker?.forgeUser ?? ''), now);
    if (refused) return refusalInWords(refused);
    const said = verdicts.find(({ person }) => person === asker?.person);
    return said?.verdict === 'approved' ? 'You have approved it already.' : null;
  }
}

/** How many services a plan changes, and how. */
export function countChanges(services: readonly Pick<PlannedService, 'action'>[]) {
  const count = (wanted: PlannedService['action']) =>
    // Without a word it is what an apply does to whatever is there.
    services.filter(({ action = 'upgrade' }) => action === wanted).length;
  return { install: count('install'), upgrade: count('upgrade'), uninstall: count('uninstall') };
}
