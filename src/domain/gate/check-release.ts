import { localFolder } from '../plan/chart-dependencies.ts';
import { addressFault, chartKind } from './addresses.ts';
import type { Findings } from './findings.ts';

const PATCHES = ['transformers', 'strategicMergePatches', 'jsonPatches'] as const;

/** What of one release is refused. */
export function checkRelease(
  all: Findings,
  fields: Readonly<Record<string, unknown>> | undefined,
  key: string,
  isVerified: boolean,
): void {
  const name = fields?.['name'];
  if (!fields || typeof name !== 'string') {
    all.refuse(key, fields ? 'has no name' : 'cannot be read');
    return;
  }
  const findings = all.of(name);
  const at = `${key}.`;
  findings.commands(fields, at);
  findings.place(fields, at);
  for (const patch of PATCHES) {
    if (isUsed(fields[patch])) findings.refuse(at + patch, 'changes what the chart renders', patch);
    findings.files(fields, patch, at);
  }
  if (isVerified && fields['verify'] === false) {
    findings.refuse(`${at}verify`, 'turns the check of the chart’s signature off', 'unverified');
  }
  findings.files(fields, 'values', at);
  findings.secrets(fields, at);
  for (const list of ['set', 'setString']) {
    for (const [index, entry] of findings.list(fields, list).entries()) {
      const file = (entry as { file?: unknown } | null)?.file;
      if (file !== undefined) findings.file(file, `${at}${list}[${index}].file`);
    }
  }
  checkChart(findings, fields['chart'], `${at}chart`);
  if (fields['directory'] !== undefined)
    checkChart(findings, fields['directory'], `${at}directory`);
  for (const [index, entry] of findings.list(fields, 'dependencies').entries()) {
    const chart = (entry as { chart?: unknown } | null)?.chart;
    checkChart(findings, chart, `${at}dependencies[${index}].chart`);
  }
  if (fields['keyring'] !== undefined) findings.file(fields['keyring'], `${at}keyring`);
  findings.references(fields, at);
}

function checkChart(findings: Findings, chart: unknown, key: string): void {
  if (typeof chart !== 'string' || chart === '') {
    findings.refuse(key, 'cannot be read');
    return;
  }
  const fault = addressFault(chart);
  if (fault !== undefined) findings.refuse(key, fault);
  else if (chartKind(chart) === 'remote') {
    findings.refuse(key, 'is fetched from elsewhere', 'remote');
  } else if (chartKind(chart) === 'path') findings.inside(chart, key);
  checkDependencies(findings, chart);
}

/** Helm fetches what a chart of the repository depends on, as it fetches charts of `repositories`. */
function checkDependencies(findings: Findings, chart: string): void {
  const { folder, dependencies } = findings.fetchedBy(chart);
  for (const { name, repository } of dependencies) {
    const key = `the dependency ${name} of ${folder}`;
    const local = localFolder(repository);
    if (local !== undefined) {
      if (!findings.isInside(folder, local)) findings.refuse(key, 'leaves the repository');
    } else if (/^(https?|oci):\/\//i.test(repository)) {
      const fault = addressFault(repository);
      if (fault !== undefined) findings.refuse(key, fault);
    } else if (!/^(@.+|alias:.+|)$/.test(repository)) {
      findings.refuse(key, 'is fetched from elsewhere', 'remote');
    }
  }
}

function isUsed(value: unknown): boolean {
  return value !== undefined && !(Array.isArray(value) && value.length === 0);
}
