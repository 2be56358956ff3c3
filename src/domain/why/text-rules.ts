import { saidLines } from './evidence.ts';
import type { Finding, Rule } from './rule.ts';

/** Rules over what helm, helmfile and the API server say; each for words that were seen for real. */

/** Rows 1 and 2: what cannot be rendered, and what is missing to render it. */
export const templateError: Rule = ({ said }) => {
  const text = textOf(said);
  const file = fileOf(text);
  const hyphen = /bad character U\+002D '-'/.exec(text);
  if (hyphen) {
    return {
      code: 'template-error',
      sentence: `${file} cannot be rendered: a name with a hyphen cannot follow a dot in a Go template (bad character U+002D '-'). Write \`index .Values.versions "hocs-audit"\` instead of \`.Values.versions.hocs-audit\`.`,
    };
  }
  const yaml = /YAML parse error on (\S+): .*?yaml: (line \d+: .*)/.exec(text);
  if (yaml) {
    const [, where = '', what = ''] = yaml;
    return { code: 'template-error', sentence: `${where} does not render to YAML: ${what}.` };
  }
  const kind = /no matches for kind "([^"]+)" in version "([^"]+)"/.exec(text);
  if (kind) {
    return {
      code: 'template-error',
      sentence: `The cluster serves no ${kind[1]} in version ${kind[2]}: the chart is older than the cluster, or a custom resource definition is not installed.`,
    };
  }
  const typed = /failed to create typed patch object \(([^)]+)\): (\S+): (.*)/.exec(text);
  if (typed) {
    return {
      code: 'template-error',
      sentence: `The field ${typed[2]} of ${typed[1]} has a value of the wrong kind: ${typed[3]}.`,
    };
  }
  const parse =
    /(?:template|parse error)[^:]*: (.*(?:unexpected|unclosed|undefined|not defined).*)/;
  const broken = parse.exec(text);
  return broken
    ? {
        code: 'template-error',
        sentence: `${file} cannot be rendered: ${withoutPlace(broken[1])}.`,
      }
    : undefined;
};

export const valuesMissing: Rule = ({ said }) => {
  const text = textOf(said);
  const variable = /required env var `([^`]+)` is not set/.exec(text);
  if (variable) {
    const file = fileOf(text);
    return missing(`The variable ${variable[1]}, which ${file} requires, is not set.`);
  }
  const required = /execution error at \(([^)]+)\): (.*)/.exec(text);
  if (required) return missing(`${required[2]} (required at ${required[1]}).`);
  const key = /at <([^>]+)>: map has no entry for key "([^"]+)"/.exec(text);
  if (key) return missing(`${key[1]} has no value: ${fileOf(text)} finds no "${key[2]}".`);
  const pointer = /Error: (\S+:\d+:\d+)\s+executing "[^"]+" at <([^>]+)>:\s+(nil pointer .*)/.exec(
    text,
  );
  if (pointer) {
    const [, where = '', value = '', what = ''] = pointer;
    return missing(`${value} has no value: it is read at ${where} (${what}).`);
  }
  const files = /values file matching ("?\S+"?) does not exist/.exec(text);
  return files ? missing(`The values file ${files[1]} does not exist.`) : undefined;
};

/** Row 3. */
export const chartTrouble: Rule = ({ said }) => {
  const text = textOf(said);
  const refused =
    /failed to fetch \S+ : 40[13] \w+/.exec(text) ??
    /failed to perform "\w+" on source: .*(?:credential not found|\b40[13]\b|denied|unauthorized).*/i.exec(
      text,
    );
  if (refused) {
    return { code: 'chart-auth', sentence: `The chart repository refuses access: ${refused[0]}.` };
  }
  const away =
    /looks like "([^"]+)" is not a valid chart repository or cannot be reached: (?:Get "[^"]+": )?(.*)/.exec(
      text,
    ) ?? /failed to perform "\w+" on source: Get "([^"]+)": (.*)/.exec(text);
  if (away) {
    const [, address, what] = away;
    return {
      code: 'chart-repository-unreachable',
      sentence: `The chart repository ${address} does not answer as one: ${what}.`,
    };
  }
  const repo = /repo (\S+) not found/.exec(text);
  if (repo) {
    return {
      code: 'chart-unresolved',
      sentence: `No chart repository named "${repo[1]}" is declared or could be read.`,
    };
  }
  const chart = /chart "([^"]+)"(?: version "([^"]+)")? not found/.exec(text);
  if (!chart) return undefined;
  const version = chart[2] ? ` in a version that fits "${chart[2]}"` : '';
  return { code: 'chart-unresolved', sentence: `There is no chart ${chart[1]}${version}.` };
};

/** Row 9. */
export const quotaExceeded: Rule = ({ said, seen }) => {
  const found =
    /exceeded quota: (\S+), requested: (\S+), used: (\S+), limited: (\S+)/.exec(textOf(said)) ??
    /exceeded quota: (\S+), requested: (\S+), used: (\S+), limited: (\S+)/.exec(
      seen?.sentence ?? '',
    );
  if (!found) return undefined;
  const [, quota, requested, used, limited] = found;
  const of = seen?.service ? ` of ${seen.service}` : '';
  return {
    code: 'quota',
    sentence: `The quota "${quota}" leaves no room for objects${of}: requested ${requested}, used ${used}, limited ${limited}.`,
  };
};

/** Row 10. */
export const evictionBlocked: Rule = ({ said, events = [] }) => {
  const words = /violate the pod's disruption budget/;
  const event = events.find(({ message }) => words.test(message));
  if (!event && !words.test(said ?? '')) return undefined;
  const where = event ? ` of ${event.object}` : '';
  return {
    code: 'eviction-blocked',
    sentence: `A disruption budget forbids the eviction${where}: no pod that it covers may be missing now.`,
  };
};

/** Row 11. The value may be a whole pod, with values that nobody should read in a message. */
export const immutableField: Rule = ({ said }) => {
  const text = textOf(said);
  const found = /([\w.]+) "([^"]+)" is invalid: ([\w.[\]]+): .*?field is immutable/.exec(text);
  if (!found) return undefined;
  const [, kind = '', name, field] = found;
  const small = /: Invalid value: ("[^"]{0,80}"|\{[^{}]*\{[^{}]{0,80}\}\}): field/.exec(text)?.[1];
  return {
    code: 'immutable-field',
    sentence: `The field ${field} of ${kind.split('.')[0]} "${name}" cannot change${small ? ` (to ${small})` : ''}: the object has to be created anew.`,
  };
};

/** Row 12. */
export const refusedByApi: Rule = ({ said }) => {
  const text = textOf(said);
  const policy = /ValidatingAdmissionPolicy '([^']+)' .*?denied request: (.*)/.exec(text);
  if (policy) return denied(`The admission policy "${policy[1]}" denies it: ${policy[2]}`);
  const hook = /admission webhook "([^"]+)" denied the request:? ?(.*)/.exec(text);
  if (hook) return denied(`The admission webhook "${hook[1]}" denies it: ${hook[2]}`);
  const security = /violates PodSecurity "([^"]+)": (.*)/.exec(text);
  if (security) return denied(`Pod security "${security[1]}" denies it: ${security[2]}`);
  const ending =
    /unable to create new content in namespace (\S+) because it is being terminated/.exec(text);
  if (ending) {
    return {
      code: 'namespace-missing',
      sentence: `Namespace "${ending[1]}" is being deleted: nothing can be created in it.`,
    };
  }
  const rbac =
    /User "([^"]+)" cannot (\w+) resource "([^"]+)"(?: in API group "[^"]*")?(?: in the namespace "([^"]+)")?/.exec(
      text,
    );
  if (!rbac) return undefined;
  const [, who, verb, resource, namespace] = rbac;
  const where = namespace ? ` in namespace ${namespace}` : '';
  return { code: 'rbac-forbidden', sentence: `${who} may not ${verb} ${resource}${where}.` };
};

/** Row 13. */
export const helmLocked: Rule = ({ said }) =>
  /another operation \(install\/upgrade\/rollback\) is in progress/.test(said ?? '')
    ? { code: 'helm-locked', sentence: 'Another Helm operation on this service is in progress.' }
    : undefined;

/** Row 14: what Helm says of a hook; the watcher of the rollout may have seen more of it. */
export const hookFailed: Rule = ({ said, seen }) => {
  const found = /((?:pre|post)-\w+)(?: hooks failed)?: resource (\w+)\/[\w-]+\/([\w.-]+) /.exec(
    textOf(said),
  );
  if (!found || seen?.code === 'hook-failed') return undefined;
  const [, when, kind, name] = found;
  return {
    code: 'hook-failed',
    workload: `${kind}/${name}`,
    sentence: `The ${when} hook ${kind}/${name} failed.`,
  };
};

/** Helm, helmfile and Node say it in the same words; git names only what it could not write. */
export const diskFull: Rule = ({ said }) => {
  const text = textOf(said);
  if (!/no space left on device|unable to write file/i.test(text)) return undefined;
  const place = /(\/\S+?): no space left|unable to write file (\S+)/i.exec(text);
  const file = place?.[1] ?? place?.[2];
  const where = file === undefined ? '' : `, so that ${file} cannot be written`;
  return { code: 'disk-full', sentence: `The disk of the worker is full${where}.` };
};

/** Row 17. */
export const clusterTrouble: Rule = ({ said }) => {
  const text = textOf(said);
  if (/has asked for the client to provide credentials|\bUnauthorized\b/.test(text)) {
    return { code: 'cluster-auth', sentence: 'The API server refuses the credentials.' };
  }
  const away = /kubernetes cluster unreachable: .*?(dial tcp .*|EOF|timeout.*)/i.exec(text);
  return away ? unreachable(away[1]) : undefined;
};

/** The network's own words, wherever helm or a request to the API server met them. */
export const apiServerAway: Rule = ({ seen }) => {
  if (seen?.code !== 'cluster-unreachable') return undefined;
  const words =
    /dial tcp [^"|]*|connect E[A-Z]+ \S+|no answer within \d+ s|socket hang up|read ECONNRESET|i\/o timeout|TLS handshake timeout|connection reset by peer/.exec(
      seen.sentence,
    );
  return words ? unreachable(words[0]) : undefined;
};

function unreachable(words = ''): Finding {
  const sentence = `The API server cannot be reached: ${words.replace(/[\s.]+$/, '')}.`;
  return { code: 'cluster-unreachable', sentence };
}

function missing(sentence: string): Finding {
  return { code: 'values-missing', sentence };
}

function denied(sentence: string): Finding {
  return { code: 'admission-denied', sentence };
}

/** Go's templates begin with the place, which the sentence has named already. */
function withoutPlace(words = ''): string {
  return words.replace(/^\S+?:\d+(:\d+)?: /, '');
}

/** One line for each that was said, so that a pattern's dot stays within what belongs together. */
function textOf(said: string | undefined): string {
  return saidLines(said).join('\n');
}

/** The file with its line, as far as helmfile and Go's templates tell them apart. */
function fileOf(text: string): string {
  const values = /failed to render values files "([^"]+)"/.exec(text)?.[1];
  const state = /error during (\S+?)(?:\.part\.\d+)? parsing/.exec(text)?.[1];
  const line = /(?:stringTemplate|\.gotmpl|\.tpl|\.yaml):(\d+)/.exec(text)?.[1];
  return `${values ?? state ?? 'A template'}${line === undefined ? '' : `:${line}`}`;
}
