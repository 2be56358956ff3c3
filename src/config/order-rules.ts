import { findCycles } from '../domain/cycles.ts';
import { groupBy } from '../domain/group-by.ts';
import { textAt, valueAt, type WrittenEnvironment } from './fields.ts';
import { parsePlace, type Place } from './place.ts';
import { formatPath, quote, type Finding, type Path } from './problems.ts';
import { PLACE_PATTERN } from './schema-parts.ts';
import { unknownName } from './unknown-name.ts';

const NAME = new RegExp(PLACE_PATTERN);

/** An entry of `after`, and where its name stands. */
interface Edge extends Place {
  text: string;
  path: Path;
}

type Node = WrittenEnvironment & { after: readonly Edge[] };

/** What must fit together in the order of environments, also across repositories. */
export function checkOrder(environments: readonly WrittenEnvironment[]): Finding[] {
  const nodes = environments.map((one): Node => ({ ...one, after: edgesOf(one) }));
  const repositories = groupBy(nodes, ({ repository }) => repository);
  return [
    ...nodes.flatMap((node) =>
      node.after.flatMap((edge) => checkTarget(node, edge, repositories) ?? []),
    ),
    ...nodes.flatMap(checkTwice),
    ...checkCycles(nodes),
  ];
}

function edgesOf({ repository, path, value }: WrittenEnvironment): Edge[] {
  const written = valueAt(value, 'after');
  return (Array.isArray(written) ? written : []).flatMap((entry: unknown, index): Edge[] => {
    const isName = typeof entry === 'string';
    const text = isName ? entry : textAt(entry, 'environment');
    // The schema says what is no name at all.
    if (text === undefined || !NAME.test(text)) return [];
    const at = [...path, 'after', index];
    const place = parsePlace(text, repository);
    return [{ text, ...place, path: isName ? at : [...at, 'environment'] }];
  });
}

function checkTarget(
  { repository: own }: Node,
  { text, repository, environment, path }: Edge,
  repositories: ReadonlyMap<string, readonly Node[]>,
): Finding | undefined {
  const siblings = repositories.get(repository);
  if (!siblings) return unknownName(path, 'repository', repository, [...repositories.keys()]);
  const names = siblings.map(({ name }) => name);
  if (names.includes(environment)) return undefined;
  if (repository !== own)
    return unknownName(path, `environment of ${repository}`, environment, names);
  const finding = unknownName(path, 'environment of this repository', text, names);
  const elsewhere = [...repositories.values()].flat().find(({ name }) => name === environment);
  if (!elsewhere) return finding;
  return { ...finding, fix: `did you mean "${idOf(elsewhere)}"?` };
}

/** The same environment in two ways of writing; one that is repeated as it is the schema finds. */
function checkTwice({ path, after }: Node): Finding[] {
  return after.flatMap((edge, index): Finding[] => {
    const same = after.slice(0, index).find((one) => targetOf(one) === targetOf(edge));
    if (!same || (same.text === edge.text && same.path.length === edge.path.length)) return [];
    const message = `${formatPath([...path, 'after'])} lists ${quote(targetOf(edge))} twice`;
    return [{ path: edge.path, at: 'value', message, fix: 'remove one of them' }];
  });
}

function checkCycles(nodes: readonly Node[]): Finding[] {
  const byId = new Map(nodes.map((node) => [idOf(node), node]));
  const after = new Map(nodes.map((node) => [idOf(node), node.after.map(targetOf)]));
  return findCycles(after).map((cycle) => {
    // The edge that closes the cycle: its last name waits for its first.
    const closing = byId.get(cycle.at(-2) ?? '');
    const edge = closing?.after.find((one) => targetOf(one) === cycle.at(-1));
    const path = edge?.path ?? [];
    const steps = cycle.flatMap((id) => byId.get(id) ?? []);
    const isWithin = steps.every(({ repository }) => repository === closing?.repository);
    const names = steps.map((step) => (isWithin ? step.name : idOf(step)));
    const message = `${formatPath(path)} closes a cycle: ${names.join(' -> ')}`;
    return { path, at: 'value', message, fix: 'remove one of these' };
  });
}

function idOf({ repository, name }: Node): string {
  return `${repository}/${name}`;
}

function targetOf({ repository, environment }: Place): string {
  return `${repository}/${environment}`;
}
