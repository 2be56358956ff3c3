import type { PlanResult } from '../../src/contract/workflow/activities.ts';
import type { Rendering } from './full-rendering.ts';

/** What the plan of one state got right and wrong, over all services that it had to judge. */
export interface Verdict {
  judged: number;
  /** Services that differ, and the plan would not apply. */
  missed: string[];
  /** Services that the fingerprints could not settle, though their manifests are equal. */
  comparedInVain: string[];
  /** The same where no fingerprint could, such as behind a reference that only the apply resolves. */
  notUnderstood: string[];
  /** Services that the plan would upgrade, though their manifests are equal. */
  appliedInVain: string[];
}

/**
 * Compares a plan with full rendering.
 *
 * @param live what runs, service by service
 * @param rendered what the commit renders
 */
export function judge(plan: PlanResult, live: Rendering, rendered: Rendering): Verdict {
  const planned = new Map(plan.services.map(({ name, action }) => [name, action]));
  const adopted = new Map(plan.adopted?.map(({ name, reason = '' }) => [name, reason]));
  const orphaned = new Set(
    plan.untouched?.filter(({ state }) => state === 'orphaned').map(({ name }) => name),
  );
  const verdict: Verdict = {
    ...{ judged: 0, missed: [], comparedInVain: [], notUnderstood: [], appliedInVain: [] },
  };
  const names = [live, rendered, planned, adopted].flatMap((services) => [...services.keys()]);
  for (const name of new Set(names)) {
    verdict.judged += 1;
    const [before, after] = [live.get(name), rendered.get(name)];
    const isEqual = before === after;
    const action = planned.get(name);
    const isRight =
      after === undefined
        ? action === 'uninstall' || orphaned.has(name)
        : isEqual || action === (before === undefined ? 'install' : 'upgrade');
    if (!isRight) verdict.missed.push(name);
    if (isEqual && action !== undefined) verdict.appliedInVain.push(name);
    if (isEqual && (action !== undefined || adopted.has(name))) {
      const isUnderstood = !adopted.get(name)?.startsWith('not understood');
      (isUnderstood ? verdict.comparedInVain : verdict.notUnderstood).push(name);
    }
  }
  return verdict;
}
