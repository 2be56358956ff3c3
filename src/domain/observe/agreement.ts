import type { RecordedService } from '../plan/plan-services.ts';
import type { PlannedService } from '../services.ts';
import { markOf, type HelmMark } from './helm-marks.ts';

/**
 * What another pipeline made of a service, beside what was planned for it. `agreed`: it runs what the
 * plan would have made. `not-done`: planned, and they left it alone. `not-planned`: they changed it, and
 * the plan would not have. `different`: both changed it, to something else.
 */
export const AGREEMENT_RESULTS = ['agreed', 'not-done', 'not-planned', 'different'] as const;
export type AgreementResult = (typeof AGREEMENT_RESULTS)[number];

export interface ServiceAgreement {
  service: string;
  result: AgreementResult;
  /** For people. */
  note: string;
}

/** What came of observing one deployment. */
export interface Observation {
  /** `unchanged`: nothing was planned, and they changed nothing. */
  verdict: 'agreed' | 'disagreed' | 'unchanged';
  /** Only services that somebody changed or would have changed, by name. */
  services: ServiceAgreement[];
}

export interface Observed {
  /** What would have been applied, when the commit came. */
  planned: readonly PlannedService[];
  /** What ran then what the commit says already. */
  adopted: readonly PlannedService[];
  /** What was remembered of the services then. */
  recorded: readonly RecordedService[];
  /** Before the plan, and in the end. */
  before: readonly HelmMark[];
  after: readonly HelmMark[];
  /** What a plan of the same commit would still change in the end. */
  differing: readonly PlannedService[];
}

/** Compares what was planned with what another pipeline left. */
export function judgeAgreement(observed: Observed): Observation {
  const { planned, before, after } = observed;
  const names = new Set([
    ...planned.map(({ name }) => name),
    ...namesOf(before),
    ...namesOf(after),
  ]);
  const services = [...names].sort().flatMap((name) => judge(name, observed) ?? []);
  if (services.length === 0) return { verdict: 'unchanged', services };
  const agreed = services.every(({ result }) => result === 'agreed');
  return { verdict: agreed ? 'agreed' : 'disagreed', services };
}

function judge(service: string, observed: Observed): ServiceAgreement | undefined {
  const was = markOf(observed.before, service);
  const is = markOf(observed.after, service);
  const planned = observed.planned.find(({ name }) => name === service);
  const left = observed.differing.find(({ name }) => name === service);
  const changed = isChanged(was, is);
  const result = (word: AgreementResult, note: string) => ({ service, result: word, note });
  if (planned && !left) return result('agreed', inWords(was, is));
  if (planned && left && changed) {
    return planned.unstable && is?.status === 'deployed'
      ? result('agreed', `${inWords(was, is)}; its input is different each time`)
      : result('different', `${inWords(was, is)}, and it is not what the commit says`);
  }
  if (planned) return result('not-done', `was to change (${planned.reason ?? 'planned'})`);
  if (ranAlready(service, observed)) return result('agreed', 'was changed before the plan');
  return changed ? result('not-planned', inWords(was, is)) : undefined;
}

/** A revision with the same manifest changes nothing; one that failed is no result to agree on. */
function isChanged(was: HelmMark | undefined, is: HelmMark | undefined): boolean {
  if (was?.manifest !== is?.manifest) return true;
  return was?.helmRevision !== is?.helmRevision && is?.status !== 'deployed';
}

/** The other pipeline was faster than the plan: the input changed, and ran already in a new revision. */
function ranAlready(service: string, { adopted, recorded }: Observed): boolean {
  const found = adopted.find(({ name }) => name === service);
  const known = recorded.find(({ name }) => name === service);
  if (!found || known?.helmRevision === undefined) return false;
  return found.helmRevision !== known.helmRevision && found.fingerprint !== known.fingerprint;
}

function inWords(was: HelmMark | undefined, is: HelmMark | undefined): string {
  if (!is) return was ? 'was uninstalled' : 'is not there';
  const status = is.status === 'deployed' ? '' : `, ${is.status}`;
  if (!was) return `was installed in revision ${is.helmRevision}${status}`;
  return was.helmRevision === is.helmRevision
    ? `is at revision ${is.helmRevision}${status}`
    : `went from revision ${was.helmRevision} to ${is.helmRevision}${status}`;
}

function namesOf(marks: readonly HelmMark[]): string[] {
  return marks.map(({ service }) => service);
}

const SAID: Readonly<Record<AgreementResult, string>> = {
  agreed: 'as planned',
  'not-done': 'planned, but they left it alone',
  'not-planned': 'they changed it, and it was not planned',
  different: 'they made something else of it',
};

/** One sentence for people about a disagreement. */
export function disagreementInWords({ services }: Observation): string {
  const apart = services.filter(({ result }) => result !== 'agreed');
  const told = apart.map(({ service, result }) => `${service} (${SAID[result]})`).join(', ');
  return `Observed only; the other pipeline did otherwise: ${told}.`;
}
