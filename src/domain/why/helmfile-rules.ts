import { saidText } from './evidence.ts';
import { besideHelmfile, helmfileAt } from './places.ts';
import type { Finding, Rule } from './rule.ts';

/** Rules over what helmfile says of the releases that a repository declares. */

/** `needs` that lead back to where they began, or to nobody. */
export const wrongNeeds: Rule = ({ said }) => {
  const text = saidText(said);
  const circle = /: cycle detected: (.*)/.exec(text)?.[1];
  if (circle !== undefined) {
    const names = circle.split(' -> ').map(nameOf);
    return wrong(`The \`needs\` of ${fileAt(text)} go in a circle: ${names.join(' → ')}.`);
  }
  const nobody = /: release\(s\) "([^"]+)" depend\(s\) on an undefined release "([^"]+)"/.exec(
    text,
  );
  if (!nobody) return undefined;
  const [, who = '', whom = ''] = nobody;
  return wrong(
    `${nameOf(who)} needs ${nameOf(whom)}, which ${fileAt(text)} does not declare for this environment.`,
  );
};

export const twoOfOneName: Rule = ({ said }) => {
  const text = saidText(said);
  const found = /: duplicate release "([^"]+)" found in namespace "([^"]+)"/.exec(text);
  if (!found) return undefined;
  const [, service, namespace] = found;
  return wrong(
    `${fileAt(text)} declares two services named "${service}" for namespace ${namespace}: rename one.`,
  );
};

/** Helmfile does not say which values file of a service it is, only that it is not itself. */
export const brokenYaml: Rule = ({ said }) => {
  const text = saidText(said);
  const environment =
    /failed to load environment values file "([^"]+)": yaml: (.*(?:\nline .*)?)/.exec(text);
  if (environment) {
    const [, file = '', what] = environment;
    return wrong(`${besideHelmfile(text, file)} is no valid YAML: ${yamlWords(what)}.`);
  }
  const state =
    /failed to read \S+: reading document at index (\d+): yaml: (.*(?:\nline .*)?)/.exec(text);
  if (state) {
    const [, at, what] = state;
    return wrong(
      `${fileAt(text)}, YAML document ${Number(at) + 1}, is no valid helmfile: ${yamlWords(what)}.`,
    );
  }
  const values = /in \S+: yaml: (.*)/.exec(text)?.[1];
  if (values === undefined) return undefined;
  return wrong(`A values file of ${fileAt(text)} is no valid YAML: ${values}.`);
};

/** What a helmfile names that the repository or helmfile's own rules do not have. */
export const wrongState: Rule = ({ said }) => {
  const text = saidText(said);
  const base = /in \S+: open (\S+): no such file or directory/.exec(text)?.[1];
  const nested = /in \S+: no matches for path: (.*)/.exec(text)?.[1];
  const absent = base ?? nested;
  if (absent !== undefined) {
    const file = besideHelmfile(text, absent);
    return wrong(`${fileAt(text)} includes ${file}, which does not exist.`);
  }
  const chartless = /encountered empty chart while reading release "([^"]+)"/.exec(text)?.[1];
  if (chartless !== undefined) return wrong(`${chartless} in ${fileAt(text)} has no \`chart\`.`);
  const condition =
    /failed to parse condition in release (\S+): environment values field '\.?([^']+)' not found/.exec(
      text,
    );
  if (condition) {
    const [, service, value] = condition;
    const sentence = `The condition of ${service} reads ${value}, which the environment has no value for.`;
    return { code: 'values-missing', sentence };
  }
  const environment =
    /no releases found that matches specified selector\(\) and environment\(([^)]*)\)/.exec(
      text,
    )?.[1];
  if (environment === undefined) return undefined;
  return wrong(`The helmfile declares no environment "${environment}".`);
};

export const againstSchema: Rule = ({ said }) => {
  const found =
    /values don't meet the specifications of the schema\(s\)(?:.*\n)+?((?:- at .*\n?)+)/.exec(
      saidText(said),
    );
  if (!found) return undefined;
  const points = (found[1] ?? '').trim().split('\n');
  return wrong(
    `The values do not fit the schema of the chart: ${points.map((each) => each.slice(2)).join('; ')}.`,
  );
};

function wrong(sentence: string): Finding {
  return { code: 'template-error', sentence };
}

/** Without the names of helmfile's own types, which nobody outside knows. */
function yamlWords(words = ''): string {
  return words
    .replace(/^unmarshal errors:\s*/, '')
    .replace(/field (\S+) not found in type \S+/, 'unknown key "$1"')
    .replace(/cannot unmarshal !!(\w+)(?: `[^`]*`)? into .*/, (_all, kind: string) => {
      const kinds: Readonly<Record<string, string>> = { seq: 'a list', map: 'a map' };
      return `${kinds[kind] ?? `a ${kind}`} stands where it does not belong`;
    });
}

/** Helmfile names a release `context/namespace/name`. */
function nameOf(id: string): string {
  return id.split('/').at(-1) ?? id;
}

function fileAt(text: string): string {
  return helmfileAt(text) ?? 'The helmfile';
}
