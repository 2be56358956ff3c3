import { saidText, type Evidence } from './evidence.ts';
import type { Finding, Rule } from './rule.ts';

/** Rules over what helm and the API server say; each for words that were seen for real. */

/** Row 9. */
export const quotaExceeded: Rule = (evidence) => {
  const text = textOf(evidence);
  const of = evidence.seen?.service ? ` of ${evidence.seen.service}` : '';
  const found = /exceeded quota: (\S+), requested: (\S+), used: (\S+), limited: (\S+)/.exec(text);
  if (found) {
    const [, quota, requested, used, limited] = found;
    return noRoom(
      `The quota "${quota}" leaves no room for objects${of}: requested ${requested}, used ${used}, limited ${limited}.`,
    );
  }
  const unsaid = /failed quota: (\S+): must specify (.*)/.exec(text);
  if (unsaid) return noRoom(`The quota "${unsaid[1]}" takes only pods${of} that say ${unsaid[2]}.`);
  const range = /is forbidden: ((?:maximum|minimum) \S+ usage per \w+ is .*)/.exec(text);
  return range
    ? noRoom(`A limit range of the namespace refuses pods${of}: ${range[1]}.`)
    : undefined;
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
export const immutableField: Rule = (evidence) => {
  const found =
    /([\w.]+) "([^"]+)" is invalid: ([\w.[\]]+): (.*?(?:field is immutable|may not change once set|is immutable after creation|updates to statefulset spec for fields other than).*)/.exec(
      textOf(evidence),
    );
  if (!found) return undefined;
  const [, kind = '', name, field, words = ''] = found;
  const small = /Invalid value: ("[^"]{0,80}"|\["[^"]{0,80}"\]|\{[^{}]*\{[^{}]{0,80}\}\}): /.exec(
    words,
  )?.[1];
  const to = small === undefined ? '' : ` (to ${small})`;
  const but = /(?:except|other than) (.*)/.exec(words)?.[1];
  const which = but === undefined ? `The field ${field}` : `The ${field}, except for ${but},`;
  return {
    code: 'immutable-field',
    sentence: `${which} of ${kind.split('.')[0]} "${name}" cannot change${to}: the object has to be created anew.`,
  };
};

/** What no version of the object could be: the API server names the field. */
export const invalidObject: Rule = (evidence) => {
  const text = textOf(evidence);
  const kind = /no matches for kind "([^"]+)" in version "([^"]+)"/.exec(text);
  if (kind) {
    return wrong(
      `The cluster serves no ${kind[1]} in version ${kind[2]}: the chart is older than the cluster, or a custom resource definition is not installed.`,
    );
  }
  const typed = /failed to create typed patch object \(([^)]+)\): (\S+): (.*)/.exec(text);
  if (typed) {
    return wrong(
      `The field ${typed[2]} of ${typed[1]} has a value of the wrong kind: ${typed[3]}.`,
    );
  }
  const decoded =
    /(\w+) in version "[^"]+" cannot be handled as an? \w+: json: cannot unmarshal (\S+) into Go struct field \w+\.(\S+) of type (\S+)/.exec(
      text,
    );
  if (decoded) {
    const [, what, is, field, wanted] = decoded;
    const hint = wanted === 'string' ? ': quote it' : '';
    return wrong(
      `The field ${field} of a ${what} is a ${is}, where the cluster wants a ${wanted}${hint}.`,
    );
  }
  const handled = /(\w+) in version "[^"]+" cannot be handled as an? \w+: (.*)/.exec(text);
  if (handled) return wrong(`The cluster cannot read a ${handled[1]}: ${handled[2]}.`);
  const large = /"sh\.helm\.release\.v1\.(\S+)\.v\d+" is invalid: data: Too long/.exec(text);
  if (large) {
    return wrong(
      `Helm keeps what it deployed in one Secret, and that of ${large[1]} would be larger than 1 MiB: the chart's files and its rendered manifest have to be smaller.`,
    );
  }
  const invalid = /([\w.]+) "([^"]+)" is invalid: (.*)/.exec(text);
  if (!invalid) return undefined;
  const [, type = '', name, words] = invalid;
  return wrong(`The cluster refuses ${type.split('.')[0]} "${name}" as invalid: ${words}.`);
};

/** Helm touches nothing that it has not made for this very service. */
export const objectTaken: Rule = (evidence) => {
  const found =
    /(\w+) "([^"]+)" in namespace "([^"]*)" exists and cannot be imported into the current release: (.*)/.exec(
      textOf(evidence),
    );
  if (!found) return undefined;
  const [, kind, name, namespace, words = ''] = found;
  const other =
    /"meta\.helm\.sh\/release-name" must equal "[^"]*": current value is "([^"]+)"/.exec(
      words,
    )?.[1];
  const owner = other === undefined ? 'was not made by Helm' : `belongs to ${other}`;
  return {
    code: 'object-taken',
    sentence: `${kind} "${name}" exists already in namespace ${namespace} and ${owner}.`,
  };
};

/** Row 12. */
export const refusedByApi: Rule = (evidence) => {
  const text = textOf(evidence);
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
  const gone = /namespaces "([^"]+)" not found/.exec(text);
  if (gone) {
    return { code: 'namespace-missing', sentence: `Namespace "${gone[1]}" does not exist.` };
  }
  const grant = /user "([^"]+)" .*is attempting to grant RBAC permissions not currently held/.exec(
    text,
  );
  if (grant) {
    return {
      code: 'rbac-forbidden',
      sentence: `${grant[1]} may not grant permissions that it does not have itself.`,
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

/** What a pod names and nobody has made, as the API server says when it refuses the pod. */
export const missingForPods: Rule = (evidence) => {
  const text = textOf(evidence);
  const account =
    /error looking up service account [^/\s]+\/\S+: serviceaccount "([^"]+)" not found/;
  const priority = /no PriorityClass with name (\S+) was found/;
  const what = account.exec(text)?.[1];
  const of = evidence.seen?.service ? ` of ${evidence.seen.service}` : '';
  if (what !== undefined)
    return missing(`Pods${of} name the service account "${what}", which does not exist.`);
  const name = priority.exec(text)?.[1];
  return name === undefined
    ? undefined
    : missing(`Pods${of} name the priority class "${name}", which does not exist.`);
};

/** Row 13. */
export const helmLocked: Rule = ({ said }) =>
  /another operation \(install\/upgrade\/rollback\) is in progress/.test(said ?? '')
    ? { code: 'helm-locked', sentence: 'Another Helm operation on this service is in progress.' }
    : undefined;

/** Row 14: what Helm says of a hook; the watcher of the rollout may have seen more of it. */
export const hookFailed: Rule = ({ said, seen }) => {
  const found = /((?:pre|post)-\w+)(?: hooks failed)?: resource (\w+)\/[\w-]+\/([\w.-]+) /.exec(
    saidText(said),
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
  const text = saidText(said);
  const full = /no space left on device|unable to write file|out of diskspace|couldn't write '/i;
  if (!full.test(text)) return undefined;
  const place = /(\/\S+?): no space left|unable to write file (\S+)|couldn't write '([^']+)'/i;
  const found = place.exec(text);
  const file = found?.[1] ?? found?.[2] ?? found?.[3];
  const where = file === undefined ? '' : `, so that ${file} cannot be written`;
  return { code: 'disk-full', sentence: `The disk of the worker is full${where}.` };
};

/** Row 17, as helm says it. */
export const clusterTrouble: Rule = ({ said, seen }) => {
  if (
    seen &&
    !['helm-failed', 'unknown', 'cluster-auth', 'cluster-unreachable'].includes(seen.code)
  ) {
    return undefined;
  }
  const text = saidText(said);
  if (/has asked for the client to provide credentials|\bUnauthorized\b/.test(text)) {
    return { code: 'cluster-auth', sentence: 'The API server refuses the credentials.' };
  }
  const untrusted = /x509: (.*)/.exec(text);
  if (untrusted) {
    const sentence = `The certificate of the API server is not trusted: ${untrusted[1]}.`;
    return { code: 'cluster-auth', sentence };
  }
  const away = /kubernetes cluster unreachable: .*?(dial tcp .*|EOF|timeout.*)/i.exec(text);
  return away ? unreachable(away[1]) : undefined;
};

/** The network's own words, wherever helm or a request to the API server met them. */
export const apiServerAway: Rule = ({ seen }) => {
  if (seen?.code !== 'cluster-unreachable') return undefined;
  const words =
    /dial tcp [^"|]*|connect E[A-Z]+ \S+|getaddrinfo E[A-Z]+ \S+|no answer within \d+ s|socket hang up|read ECONNRESET|i\/o timeout|TLS handshake timeout|connection reset by peer/.exec(
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

function noRoom(sentence: string): Finding {
  return { code: 'quota', sentence };
}

function wrong(sentence: string): Finding {
  return { code: 'template-error', sentence };
}

/** Codes under which the watcher hands on what the API server said, in its own words. */
const IN_ITS_WORDS: readonly string[] = ['helm-failed', 'admission-denied', 'quota'];

function textOf({ said, seen }: Evidence): string {
  if (said !== undefined) return saidText(said);
  return seen && IN_ITS_WORDS.includes(seen.code) ? seen.sentence : '';
}
