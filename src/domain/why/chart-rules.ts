import { saidText } from './evidence.ts';
import type { Finding, Rule } from './rule.ts';

/** Row 3: charts that cannot be had, and charts that are none. */

export const chartTrouble: Rule = ({ said }) => {
  const text = saidText(said);
  const refused =
    /failed to fetch \S+ : 40[13] \w+/.exec(text) ??
    /failed to perform "\w+" on source: .*(?:credential not found|\b40[13]\b|denied|unauthorized).*/i.exec(
      text,
    ) ??
    /GET "[^"]+\/v2\/[^"]+": (?:response status code 40[13].*|.*credential not found)/.exec(text);
  if (refused) {
    return { code: 'chart-auth', sentence: `The chart repository refuses access: ${refused[0]}.` };
  }
  const away =
    /looks like "([^"]+)" is not a valid chart repository or cannot be reached: (?:Get "[^"]+": )?(.*)/.exec(
      text,
    ) ??
    /failed to perform "\w+" on source: Get "([^"]+)": (.*)/.exec(text) ??
    /GET "([^"]+\/v2\/[^"]+)": ((?!response status code 404).*)/i.exec(text) ??
    /failed to fetch (\S+) : (5\d\d .*)/.exec(text);
  if (away) {
    const [, address, what] = away;
    return {
      code: 'chart-repository-unreachable',
      sentence: `The chart repository ${address} does not answer as one: ${what}.`,
    };
  }
  return notThere(text);
};

function notThere(text: string): Finding | undefined {
  const repo = /repo (\S+) not found/.exec(text);
  if (repo)
    return unresolved(`No chart repository named "${repo[1]}" is declared or could be read.`);
  const chart = /chart "([^"]+)"(?: version "([^"]+)")? not found/.exec(text);
  if (chart) {
    const version = chart[2] ? ` in a version that fits "${chart[2]}"` : '';
    return unresolved(`There is no chart ${chart[1]}${version}.`);
  }
  const tag = /failed to perform "\w+" on source: (\S+): not found/.exec(text);
  if (tag) return unresolved(`There is no chart ${tag[1]}.`);
  const name = /GET "https?:\/\/([^"]+?)\/v2\/([^"]+)\/tags\/list[^"]*": .*404/.exec(text);
  if (name) return unresolved(`There is no chart ${name[1]}/${name[2]}.`);
  const package_ = /failed to fetch (\S+) : 404/.exec(text);
  if (package_) {
    return unresolved(`The chart repository names ${package_[1]}, and does not have it.`);
  }
  const absent = /directory (\S+)\/charts\/(\S+) not found/.exec(text);
  if (absent) return unresolved(lacking(`The chart ${absent[1]}`, absent[2]));
  const dependency = /found in Chart\.yaml, but missing in charts\/ directory: (.*)/.exec(text);
  return dependency ? unresolved(lacking(`The chart${ofService(text)}`, dependency[1])) : undefined;
}

function lacking(chart: string, dependency = ''): string {
  return `${chart} needs ${dependency}, which is not in its charts folder: commit it there (\`helm dependency update\`).`;
}

/** Helm does not say which chart it is, only helmfile for which service. */
export const brokenChart: Rule = ({ said }) => {
  const text = saidText(said);
  const values = /cannot load values\.yaml: .*?yaml: (.*)/.exec(text);
  if (values) {
    return wrong(`The values.yaml of the chart${ofService(text)} is no valid YAML: ${values[1]}.`);
  }
  const invalid =
    /validation: (chart\.metadata.*)/.exec(text) ??
    /(chart requires kubeVersion: .*)/.exec(text) ??
    /cannot load (Chart\.yaml: .*)/.exec(text);
  if (invalid) return wrong(`The chart${ofService(text)} cannot be used: ${invalid[1]}.`);
  const name = /invalid release name, must match regex|release name check failed/.test(text);
  if (!name) return undefined;
  const service = /release name "([^"]+)"/.exec(text)?.[1] ?? 'of a service';
  return wrong(
    `The name "${service}" is none for a service: Helm takes lower case letters, digits, dots and hyphens, at most 53.`,
  );
};

function ofService(text: string): string {
  const name = /(?:failed processing release |: release ")([^\s":]+)/.exec(text)?.[1];
  return name === undefined ? '' : ` of ${name}`;
}

function unresolved(sentence: string): Finding {
  return { code: 'chart-unresolved', sentence };
}

function wrong(sentence: string): Finding {
  return { code: 'template-error', sentence };
}
