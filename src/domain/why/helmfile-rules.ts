import { saidLines } from './evidence.ts';
import type { Finding, Rule } from './rule.ts';

/** Rules over what helmfile says of the releases that a repository declares. */

/** `needs` that lead back to where they began, or to nobody. */
export const wrongNeeds: Rule = ({ said }) => {
  const text = textOf(said);
  const circle = /in (\S+?): cycle detected: (.*)/.exec(text);
  if (circle) {
    const names = (circle[2] ?? '').split(' -> ').map(nameOf);
    return wrong(`The \`needs\` of ${fileOf(circle[1])} go in a circle: ${names.join(' → ')}.`);
  }
  const nobody =
    /in (\S+?): release\(s\) "([^"]+)" depend\(s\) on an undefined release "([^"]+)"/.exec(text);
  if (!nobody) return undefined;
  const [, file, who = '', whom = ''] = nobody;
  return wrong(
    `${nameOf(who)} needs ${nameOf(whom)}, which ${fileOf(file)} does not declare for this environment.`,
  );
};

export const twoOfOneName: Rule = ({ said }) => {
  const found = /in (\S+?): duplicate release "([^"]+)" found in namespace "([^"]+)"/.exec(
    textOf(said),
  );
  if (!found) return undefined;
  const [, file, service, namespace] = found;
  return wrong(
    `${fileOf(file)} declares two services named "${service}" for namespace ${namespace}: rename one.`,
  );
};

/** Helmfile does not say which values file it is, only that it is not itself. */
export const brokenYaml: Rule = ({ said }) => {
  const text = textOf(said);
  const state = /failed to read (\S+): reading document at index (\d+): yaml: (.*)/.exec(text);
  if (state) {
    const [, file = '', at, what] = state;
    return wrong(`${file}, YAML document ${Number(at) + 1}, is no valid YAML: ${what}.`);
  }
  const values = /in (\S+?): yaml: (line \d+: .*)/.exec(text);
  if (!values) return undefined;
  return wrong(`A values file of ${fileOf(values[1])} is no valid YAML: ${values[2]}.`);
};

export const againstSchema: Rule = ({ said }) => {
  const found =
    /values don't meet the specifications of the schema\(s\)(?:.*\n)+?((?:- at .*\n?)+)/.exec(
      textOf(said),
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

/** Helmfile names a release `context/namespace/name`. */
function nameOf(id: string): string {
  return id.split('/').at(-1) ?? id;
}

function fileOf(path = ''): string {
  return path.replace(/^\.\//, '');
}

function textOf(said: string | undefined): string {
  return saidLines(said).join('\n');
}
