import type { CauseReport } from '../cause.ts';
import type { Evidence } from './evidence.ts';

/** What a rule concludes; it replaces what had been concluded before. */
export type Finding = Pick<CauseReport, 'code' | 'sentence'> &
  Partial<Pick<CauseReport, 'workload' | 'container' | 'reason'>>;

/** Answers nothing where it does not fit. */
export type Rule = (evidence: Evidence) => Finding | undefined;
