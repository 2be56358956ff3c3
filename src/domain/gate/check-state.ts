import { checkRelease } from './check-release.ts';
import { addressFault } from './addresses.ts';
import { Findings, fieldsOf, type GateOptions, type StateDocument, type Tree } from './findings.ts';
import { folderOf, pathInTree } from './paths.ts';
import type { Refusal } from './refusal.ts';

const NESTING_MAX = 50;

/**
 * Keys whose references are found elsewhere: of the environment among the rendered values, of a release
 * with its service. Other environments and templates that no release inherits are not evaluated.
 */
const SEEN_ELSEWHERE = new Set(['environments', 'releases', 'templates']);

/**
 * What of a commit's evaluated state must not meet the cluster's credentials: commands, other clusters
 * and namespaces, files and addresses outside, references to secrets that nobody permitted.
 *
 * @param documents the output of `helmfile build` without embedded values, one for each helmfile
 * @param tree the files of the commit
 */
export function checkState(
  documents: readonly StateDocument[],
  tree: Tree,
  options: GateOptions,
): Refusal[] {
  return [
    ...checkNesting(documents, tree),
    ...documents.flatMap((document) => checkDocument(document, tree, options)),
  ];
}

function checkDocument(document: StateDocument, tree: Tree, options: GateOptions): Refusal[] {
  const { source, state } = document;
  const findings = new Findings(source, tree, options);
  const fields = fieldsOf(state);
  if (!fields) {
    findings.refuse('its evaluated state', 'cannot be read');
    return findings.refusals;
  }
  findings.commands(fields, '');
  findings.place(fields, '');
  if (!findings.isBinary(fields['helmBinary'])) {
    findings.refuse('helmBinary', 'names another Helm than Slipway’s');
  }
  if (!findings.isBinary(fields['kustomizeBinary'])) {
    findings.refuse('kustomizeBinary', 'names another Kustomize than Slipway’s');
  }
  if (fields['plugins'] !== undefined) findings.refuse('plugins', 'adds programs');
  if (fields['llm'] !== undefined)
    findings.refuse('llm', 'sends the state to a language model', 'llm');

  const defaults = fieldsOf(fields['helmDefaults']) ?? {};
  findings.commands(defaults, 'helmDefaults.');
  findings.place(defaults, 'helmDefaults.');
  for (const [index, base] of findings.list(fields, 'bases').entries()) {
    findings.file(base, `bases[${index}]`);
  }
  const environment = fieldsOf(fieldsOf(fields['environments'])?.[options.environment]) ?? {};
  const at = `environments.${options.environment}.`;
  findings.place(environment, at);
  findings.files(environment, 'values', at);
  findings.secrets(environment, at);
  findings.files(fields, 'values', '');
  for (const [index, entry] of findings.list(fields, 'helmfiles').entries()) {
    const nested = typeof entry === 'string' ? { path: entry } : (fieldsOf(entry) ?? {});
    findings.file(nested['path'], `helmfiles[${index}].path`);
    findings.files(nested, 'values', `helmfiles[${index}].`);
  }
  for (const [index, entry] of findings.list(fields, 'repositories').entries()) {
    checkRepository(findings, fieldsOf(entry), `repositories[${index}].`);
  }
  for (const [index, entry] of findings.list(fields, 'releases').entries()) {
    checkRelease(findings, fieldsOf(entry), `releases[${index}]`, defaults['verify'] === true);
  }
  for (const [key, value] of Object.entries(fields)) {
    if (!SEEN_ELSEWHERE.has(key)) findings.references(value, key);
  }
  findings.sourceOf(source);
  return findings.refusals;
}

function checkRepository(
  findings: Findings,
  fields: Readonly<Record<string, unknown>> | undefined,
  at: string,
): void {
  const url = fields?.['url'];
  if (!fields || typeof url !== 'string') {
    findings.refuse(at.slice(0, -1), 'cannot be read');
    return;
  }
  const fault = addressFault(url);
  if (fault !== undefined) findings.refuse(`${at}url`, fault);
  if (fields['skipTLSVerify'] === true) {
    findings.refuse(`${at}skipTLSVerify`, 'trusts any server', 'skipTLS');
  }
  for (const key of ['caFile', 'certFile', 'keyFile', 'keyring', 'registryConfig']) {
    if (fields[key] !== undefined) findings.file(fields[key], `${at}${key}`);
  }
}

/** Helmfiles that call each other without end, or deeper than anybody means. */
function checkNesting(documents: readonly StateDocument[], tree: Tree): Refusal[] {
  const children = new Map(
    documents.map(({ source, state }) => {
      const entries = fieldsOf(state)?.['helmfiles'];
      const paths = (Array.isArray(entries) ? entries : []).flatMap((entry: unknown) => {
        const path = typeof entry === 'string' ? entry : fieldsOf(entry)?.['path'];
        const inTree =
          typeof path === 'string' ? pathInTree(tree.root, folderOf(source), path) : undefined;
        return inTree === undefined ? [] : tree.expand(inTree);
      });
      return [source, paths] as const;
    }),
  );
  let level = new Set(children.keys());
  for (let depth = 0; level.size > 0; depth += 1) {
    const [file = ''] = level;
    if (depth > NESTING_MAX) {
      return [{ file, key: 'helmfiles', why: `nests deeper than ${NESTING_MAX} helmfiles` }];
    }
    level = new Set([...level].flatMap((path) => children.get(path) ?? []));
  }
  return [];
}
