/** Whoever would say yes to a plan; absent for a machine. */
export interface Asker {
  person: string;
  groups: readonly string[];
}

/** Why somebody may not approve. */
export type ApprovalRefusal =
  | { refusal: 'no-person' | 'expired' | 'author' }
  | { refusal: 'not-asked'; groups: readonly string[] };

/**
 * Why a person may not approve a plan; undefined when they may.
 *
 * @param plan the groups that are asked (none means anybody), and until when (ISO 8601)
 * @param isAuthor whether the person pushed or merged what the plan brings
 * @param now ISO 8601
 */
export function mayNotApprove(
  plan: { groups?: readonly string[]; until?: string },
  asker: Asker | undefined,
  isAuthor: boolean,
  now: string,
): ApprovalRefusal | undefined {
  const { groups = [], until } = plan;
  if (!asker) return { refusal: 'no-person' };
  if (until !== undefined && Date.parse(until) <= Date.parse(now)) return { refusal: 'expired' };
  if (!isAsked(groups, asker.groups)) return { refusal: 'not-asked', groups };
  return isAuthor ? { refusal: 'author' } : undefined;
}

/** Whether a member of these groups is asked. */
export function isAsked(asked: readonly string[], groups: readonly string[]): boolean {
  return asked.length === 0 || asked.some((group) => groups.includes(group));
}

/** The same in a sentence. */
export function refusalInWords(refused: ApprovalRefusal): string {
  switch (refused.refusal) {
    case 'no-person':
      return 'This token belongs to no person: make one by `slipway token <name> --user <person> --group <group>`.';
    case 'expired':
      return 'Its approval has expired.';
    case 'not-asked':
      return `Only ${approvers(refused.groups)} may approve this.`;
    case 'author':
      return 'Who pushed or merged a change cannot approve it.';
  }
}

/** Who is asked, in words. */
export function approvers(asked: readonly string[]): string {
  return asked.length === 0 ? 'anybody' : asked.join(' or ');
}
