import type { CauseReport } from '../cause.ts';
import { CAUSES, isCauseCode, SlipwayError } from '../errors.ts';
import { ACTIONS } from './actions.ts';
import {
  asleep,
  asSeen,
  endedByItself,
  imageSlow,
  livenessFailing,
  readinessFailing,
} from './cluster-rules.ts';
import { brokenChart, chartTrouble } from './chart-rules.ts';
import { evidenceLines, saidLines, type Evidence } from './evidence.ts';
import {
  againstSchema,
  brokenYaml,
  twoOfOneName,
  wrongNeeds,
  wrongState,
} from './helmfile-rules.ts';
import type { Finding, Rule } from './rule.ts';
import { notDecrypted } from './secret-rules.ts';
import { templateError, templateFailed, valuesMissing } from './template-rules.ts';
import {
  apiServerAway,
  clusterTrouble,
  diskFull,
  evictionBlocked,
  helmLocked,
  hookFailed,
  immutableField,
  invalidObject,
  missingForPods,
  objectTaken,
  quotaExceeded,
  refusedByApi,
} from './text-rules.ts';

/** The first that fits answers. What a container says goes before what Helm says of waiting for it. */
const RULES: readonly Rule[] = [
  diskFull,
  notDecrypted,
  templateError,
  valuesMissing,
  wrongNeeds,
  twoOfOneName,
  wrongState,
  againstSchema,
  brokenYaml,
  chartTrouble,
  brokenChart,
  templateFailed,
  imageSlow,
  livenessFailing,
  endedByItself,
  readinessFailing,
  quotaExceeded,
  evictionBlocked,
  immutableField,
  objectTaken,
  refusedByApi,
  missingForPods,
  invalidObject,
  helmLocked,
  hookFailed,
  clusterTrouble,
  apiServerAway,
  asSeen,
  asleep,
];

/** Turns what a failure left behind into a cause with its proof and what to do next. */
export function explain(evidence: Evidence): CauseReport {
  const finding = find(evidence) ?? admitted(evidence);
  const lines = evidenceLines(evidence);
  return {
    ...evidence.seen,
    ...finding,
    ...(lines.length > 0 ? { evidence: lines } : {}),
    actions: [...ACTIONS[finding.code]],
  };
}

/** The same of an error alone, whose own words often say more than its code. */
export function explainError({
  code,
  message,
}: Pick<SlipwayError, 'code' | 'message'>): CauseReport {
  return explain({ said: message, seen: { code, sentence: message } });
}

/** What an error of the domain means, in a sentence; throws any other error again. */
export function sentenceOf(error: unknown): string {
  if (error instanceof SlipwayError) return explainError(error).sentence;
  throw error;
}

/** Who most likely has to act on a cause. */
export function ownerOf(code: string): string {
  return isCauseCode(code) ? CAUSES[code].owner : 'policy';
}

function find(evidence: Evidence): Finding | undefined {
  for (const rule of RULES) {
    const finding = rule(evidence);
    if (finding) return finding;
  }
  return undefined;
}

/** No rule fits: says so, with the words there are. A bare "timed out" is never the whole answer. */
function admitted({ seen, said }: Evidence): Finding {
  const code = seen?.code ?? 'unknown';
  const words = saidLines(said).at(-1);
  const sentence = seen?.sentence ?? words;
  if (sentence === undefined) return { code, sentence: 'It failed, and nothing says why.' };
  return { code, sentence };
}
