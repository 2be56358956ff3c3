import {
  readersOf,
  releasesOf,
  replaced,
  scalarLines,
  textOf,
  valuesFiles,
  withBlock,
  withFile,
  type Mutation,
  type Mutator,
  type Release,
} from './edits.ts';
import type { Random } from './random.ts';
import { REMOTE_CHARTS, REMOTE_VARIANTS, REMOTE_VERSIONS, type State } from './repository.ts';
import { requoted, SCALARS, TEXTS } from './scalars.ts';

const VERSIONS_FILE = 'environments/versions.yaml';
const COMMON_FILE = 'environments/common.yaml';
const VERSION_READERS: Record<string, readonly string[]> = {
  api: ['api'],
  audit: ['audit', 'extracts'],
  web: ['web'],
  jobs: ['jobs'],
  nested: ['nested'],
};
const RANGES = [
  ...['^1.0.0', '~1.2.0', '1.2.0', '1.0.0', '1.x', '>=1.0.0 <2.0.0', '^1.2', '*', '>1.0.0', '^2'],
];

/** A chart that does not lie in the repository itself. */
const REMOTE = /chart: (?:remote|guarded|registry|vault)\/(\w+)/;

/** Kinds of mutations, with how often each is drawn beside the others. */
export const MUTATORS: readonly (readonly [weight: number, Mutator])[] = [
  [8, bumpVersion],
  [3, writeVersionOtherwise],
  [14, changeValue],
  [8, requoteValue],
  [3, addValue],
  [3, removeValue],
  [2, inlineValue],
  [2, setValue],
  [4, changeChartVersion],
  [4, publishChart],
  [3, changeNeeds],
  [3, toggleFlag],
  [3, optionalFile],
  [3, moveValues],
  [3, fileOfMany],
  [3, changeVariable],
  [4, changeEnvironmentValue],
  [2, addEnvironmentFile],
  [3, editChartTemplate],
  [2, changeChartDefault],
  [1, bumpOwnChart],
  [2, changeReadFile],
  [1, changeHelper],
  [2, askForFile],
  [2, addService],
  [2, removeService],
  [2, templateCondition],
  [1, inlineReference],
  [2, otherChart],
  [4, comment],
  [4, whitespace],
  [3, swapLines],
  [2, swapReleases],
  [2, labelRelease],
  [1, changeDefaults],
  [2, unrelatedFile],
];

function bumpVersion(state: State, random: Random) {
  const line = random.pick(scalarLines(state, [VERSIONS_FILE]).slice(1));
  const version = `${random.below(9)}.${random.below(20)}.${random.below(9)}`;
  return versionTo(state, line, version);
}

function writeVersionOtherwise(state: State, random: Random) {
  const line = random.pick(scalarLines(state, [VERSIONS_FILE]).slice(1));
  const other = random.oneIn(2) ? requoted(line.scalar) : random.pick(TEXTS);
  return versionTo(state, line, other);
}

function versionTo(
  state: State,
  { line, key }: { line: string; key: string },
  to: string,
): Mutation | undefined {
  const changed = replaced(state, VERSIONS_FILE, line, `  ${key}: ${to}`);
  const touches = VERSION_READERS[key] ?? 'all';
  return changed && { what: `version of ${key}: ${line.trim()} → ${to}`, touches, state: changed };
}

function changeValue(state: State, random: Random) {
  return valueTo(state, random, () => random.pick(SCALARS));
}

function requoteValue(state: State, random: Random) {
  return valueTo(state, random, requoted);
}

function valueTo(state: State, random: Random, to: (scalar: string) => string) {
  const lines = scalarLines(state, valuesFiles(state)).filter(({ line }) => /^ /.test(line));
  const { path, line, key, scalar } = random.pick(lines);
  if (scalar === '' && /:$/.test(line) && key === 'probe') return undefined;
  const changed = replaced(
    state,
    path,
    line,
    line.replace(/:.*/, () => `: ${to(scalar)}`),
  );
  const what = `${path}: ${line.trim()} → ${to(scalar)}`;
  return changed && { what, touches: readersOf(state, path), state: changed };
}

function addValue(state: State, random: Random) {
  const path = random.pick(valuesFiles(state));
  const scalar = random.pick(SCALARS);
  const added = `  added${random.below(1_000)}: ${scalar}`;
  const changed = replaced(state, path, 'probe:\n', `probe:\n${added}\n`);
  return changed && { what: `${path}: +${added}`, touches: readersOf(state, path), state: changed };
}

function removeValue(state: State, random: Random) {
  const path = random.pick(valuesFiles(state));
  const line = random.pick(scalarLines(state, [path]));
  if (!line.line.startsWith('  ')) return undefined;
  const changed = replaced(state, path, `${line.line}\n`, '');
  const what = `${path}: -${line.line}`;
  return changed && { what, touches: readersOf(state, path), state: changed };
}

function inlineValue(state: State, random: Random) {
  const release = releasesOf(state).find(({ name }) => name === 'inline');
  if (!release) return undefined;
  const key = random.pick(['inline', 'number']);
  const scalar = random.pick(SCALARS);
  const block = release.block.replace(new RegExp(`${key}:.*`), () => `${key}: ${scalar}`);
  return releaseTo(state, release, block, `inline value ${key}: ${scalar}`);
}

function setValue(state: State, random: Random) {
  const release = releasesOf(state).find(({ name }) => name === random.pick(['web', 'sweeper']));
  if (!release) return undefined;
  if (random.oneIn(3)) {
    const [from, to] = random.oneIn(2) ? ['set:', 'setString:'] : ['setString:', 'set:'];
    return releaseTo(state, release, release.block.replace(from, to), `${from} → ${to}`);
  }
  const scalar = random.pick(['1', '"1"', 'no', '"no"', '3.10', '"3.10"', '"null"', 'true', '"a"']);
  const block = release.block.replace(/ {8}value:.*/, () => `        value: ${scalar}`);
  return releaseTo(state, release, block, `set value: ${scalar}`);
}

function changeChartVersion(state: State, random: Random) {
  const remote = releasesOf(state).filter(({ block }) => REMOTE.test(block));
  if (remote.length === 0) return undefined;
  const release = random.pick(remote);
  const range = random.pick(RANGES);
  const chart = /chart: .*\n/.exec(release.block)?.[0] ?? '';
  const block = release.block
    .replace(/ {4}version: .*\n/, '')
    .replace(chart, random.oneIn(6) ? chart : `${chart}    version: "${range}"\n`);
  return releaseTo(state, release, block, `chart version "${range}", or none`);
}

function publishChart(state: State, random: Random) {
  const name = random.pick(REMOTE_CHARTS);
  const version = random.pick(REMOTE_VERSIONS);
  const published = new Map(state.published);
  const chart = `${name} ${version}`;
  const before = published.get(chart);
  if (before !== undefined && random.oneIn(3)) published.delete(chart);
  else published.set(chart, before === undefined ? 0 : (before + 1) % REMOTE_VARIANTS);
  const what = `chart ${chart}: content ${before ?? 'none'} → ${published.get(chart) ?? 'none'}`;
  const touches = releasesOf(state).flatMap((release) =>
    REMOTE.exec(release.block)?.[1] === name || dependsOn(release, name) ? [release.name] : [],
  );
  return { what, touches, state: { ...state, published } };
}

function dependsOn({ block }: Release, chart: string): boolean {
  return chart === 'back' && block.includes('charts/bundle');
}

function changeNeeds(state: State, random: Random) {
  const release = random.pick(releasesOf(state));
  const without = release.block.replace(/ {4}needs: .*\n/, '');
  if (without !== release.block && random.oneIn(2)) {
    return releaseTo(state, release, without, 'no needs');
  }
  const before = releasesOf(state).filter(({ path }) => path === release.path);
  const at = before.findIndex(({ name }) => name === release.name);
  if (at < 1) return undefined;
  const needed = before[random.below(at)]?.name ?? '';
  return releaseTo(state, release, `${without}    needs: [${needed}]\n`, `needs ${needed}`);
}

function toggleFlag(state: State, random: Random) {
  const key = random.pick(['reports', 'search', 'mailer', 'legacy']);
  const line = scalarLines(state, [COMMON_FILE]).find((one) => one.key === key);
  if (!line) return undefined;
  const [from, to] = line.line.includes('true') ? ['true', 'false'] : ['false', 'true'];
  const changed = replaced(state, COMMON_FILE, line.line, line.line.replace(from, to));
  return (
    changed && { what: `${key} is enabled or installed: ${to}`, touches: [key], state: changed }
  );
}

function optionalFile(state: State, random: Random) {
  const path = random.pick(['values/optional.yaml', 'values/optional-more.yaml']);
  const isThere = state.files.has(path);
  const text = isThere ? undefined : `probe:\n  count: ${random.pick(SCALARS)}\n`;
  const what = `${path}: ${isThere ? 'deleted' : 'added'}`;
  return { what, touches: ['optional'], state: withFile(state, path, text) };
}

function moveValues(state: State, random: Random) {
  const releases = releasesOf(state).filter(({ block }) =>
    / - values\/\w+[\w/]*\.yaml/.test(block),
  );
  const release = random.pick(releases);
  const [, named = '', path = ''] =
    / - ((?:values)\/(\w[\w/-]*\.yaml(?:\.gotmpl)?))/.exec(release.block) ?? [];
  const folder = release.path.replace(/[^/]+$/, '');
  const text = state.files.get(folder + named);
  if (text === undefined) return undefined;
  const target = `values/${path.replace(/^(\w+)/, `$1/moved${random.below(100)}`)}`;
  const moved = withFile(withFile(state, folder + named, undefined), folder + target, text);
  const changed = withBlock(moved, release, release.block.replace(named, target));
  const what = `${folder}${named} moved to ${target}`;
  return changed && { what, touches: [release.name], state: changed };
}

function fileOfMany(state: State, random: Random) {
  const path = `values/many/${random.pick(['a', 'b', 'c'])}.yaml`;
  const isThere = state.files.has(path);
  const text = `probe:\n  both: ${random.pick(SCALARS)}\n  own${random.below(5)}: 1\n`;
  const what = `${path}: ${isThere ? 'deleted' : 'added'}`;
  return { what, touches: ['many'], state: withFile(state, path, isThere ? undefined : text) };
}

function changeVariable(state: State, random: Random) {
  const name = random.pick(['ALLOWED_IPS', 'HOST_SUFFIX']);
  const text = random.pick(TEXTS);
  const variables = new Map(state.variables).set(name, text);
  const what = `variable ${name}: ${state.variables.get(name) ?? ''} → ${text}`;
  return { what, touches: 'all', state: { ...state, variables } } as const;
}

function changeEnvironmentValue(state: State, random: Random) {
  const lines = scalarLines(state, [COMMON_FILE, 'environments/more/10-colours.yaml']);
  const { path, line, key, scalar } = random.pick(lines.filter((one) => /^\w/.test(one.line)));
  if (['reports', 'search', 'installed'].includes(key)) return undefined;
  const to = random.oneIn(3)
    ? requoted(scalar)
    : key === 'colour'
      ? random.pick(['blue', 'green', 'red', 'grey'])
      : random.pick(SCALARS);
  const changed = replaced(state, path, line, `${key}: ${to}`);
  return changed && ({ what: `${path}: ${line} → ${to}`, touches: 'all', state: changed } as const);
}

function addEnvironmentFile(state: State, random: Random) {
  const path = `environments/more/${random.pick(['05-low', '20-high'])}.yaml`;
  const isThere = state.files.has(path);
  const key = random.pick(['colour', 'region', 'replicas', 'unread']);
  const text = `${key}: ${key === 'colour' ? 'red' : random.pick(SCALARS)}\n`;
  const what = `${path}: ${isThere ? 'deleted' : text.trim()}`;
  const changed = withFile(state, path, isThere ? undefined : text);
  return { what, touches: 'all', state: changed } as const;
}

function editChartTemplate(state: State, random: Random) {
  const paths = [...state.files.keys()].filter((path) => /^charts\/.*templates\//.test(path));
  const path = random.pick(paths);
  const text = textOf(state, path);
  const mark = `extra${random.below(1_000)}`;
  const [what, changed] = random.oneIn(2)
    ? ['comment in', `{{- /* ${mark} */}}\n${text}`]
    : ['label in', text.replace('metadata:\n', `metadata:\n  annotations: { mark: ${mark} }\n`)];
  if (changed === text || text.includes('annotations:')) return undefined;
  return fileTo(state, path, changed, what);
}

function changeChartDefault(state: State, random: Random) {
  const paths = [...state.files.keys()].filter((path) => /^charts\/.*values\.yaml$/.test(path));
  const path = random.pick(paths);
  const scalar = random.pick(SCALARS);
  return fileTo(
    state,
    path,
    textOf(state, path).replace(/size:.*/, () => `size: ${scalar}`),
    scalar,
  );
}

function bumpOwnChart(state: State, random: Random) {
  const paths = [...state.files.keys()].filter((path) => path.endsWith('/Chart.yaml'));
  const path = random.pick(paths);
  const version = `version: 0.${random.below(50)}.0`;
  return fileTo(state, path, textOf(state, path).replace(/version: 0.*/, version), version);
}

function changeReadFile(state: State, random: Random) {
  const path = random.pick(['files/certificate.pem', 'charts/filed/data/text.txt']);
  const text = random.pick(['first line\n', 'first line', 'second line\n', '1\n', 'no\n']);
  const changed = textOf(state, path) === text ? undefined : withFile(state, path, text);
  const touches = path.startsWith('files') ? ['web'] : ['sweeper'];
  return changed && { what: `${path}: ${JSON.stringify(text)}`, touches, state: changed };
}

function changeHelper(state: State, random: Random) {
  const path = 'values/_helped.tpl';
  const before = state.files.get(path);
  const text = before?.replace(/"?no"?(?=\{\{ end)/, random.pick(['no', '"no"', 'off']));
  if (text === undefined || text === before) return undefined;
  const changed = withFile(state, path, text);
  return { what: `${path}: ${text.trim()}`, touches: ['extracts'], state: changed };
}

/** A template that asks whether there is a file which nothing else reads. */
function askForFile(state: State, random: Random) {
  const path = 'teams/helmfile.d/values/colours.yaml.gotmpl';
  const flag = 'teams/helmfile.d/values/flag';
  const lines = '{{- if isFile "flag" }}\n  flag: no\n{{- else }}\n  flag: "no"\n{{- end }}\n';
  const text = state.files.get(path);
  if (text === undefined) return undefined;
  // Whatever other mutations made of what stands in it.
  const without = text.replace(/^\{\{- if isFile .*\n(?:.*\n)*?\{\{- end \}\}\n/m, '');
  if (without === text)
    return fileTo(state, path, `${text.trimEnd()}\n${lines}`, 'asks for a file');
  if (random.oneIn(2)) return fileTo(state, path, without, 'asks for no file');
  const isThere = state.files.has(flag);
  const changed = withFile(state, flag, isThere ? undefined : '');
  return {
    what: `${flag}: ${isThere ? 'deleted' : 'added'}`,
    touches: ['colours'],
    state: changed,
  };
}

function addService(state: State, random: Random) {
  const name = `extra${random.below(100)}`;
  const { path } = random.pick(releasesOf(state));
  if (releasesOf(state).some((release) => release.name === name)) return undefined;
  const up = path.includes('/') ? path.replace(/[^/]+$/, '').replace(/[^/]+\//g, '../') : './';
  const block = `  - name: ${name}\n    chart: ${up}charts/plain\n    values:\n      - probe: { of: ${name} }\n`;
  const changed = withFile(state, path, textOf(state, path) + block);
  return { what: `service ${name} added to ${path}`, touches: [name], state: changed };
}

function removeService(state: State, random: Random) {
  const added = releasesOf(state).filter(({ name }) => name.startsWith('extra'));
  const inner = ['plain', 'cache', 'lookups', 'colours'];
  const candidates =
    added.length > 0 ? added : releasesOf(state).filter(({ name }) => inner.includes(name));
  const release = random.pick(candidates);
  if (new RegExp(`needs: .*\\b${release.name}\\b`).test(textOf(state, release.path)))
    return undefined;
  return releaseTo(state, release, '', 'removed');
}

function templateCondition(state: State, random: Random) {
  const path = random.pick(valuesFiles(state).filter((one) => one.endsWith('.gotmpl')));
  const condition = random.pick([
    'eq .Values.region "eu"',
    'lt (len (toString .Values.limit)) 3',
    'contains "example" (env "HOST_SUFFIX")',
    '.Values.feature',
  ]);
  const key = `when${random.below(100)}`;
  const lines = `{{- if ${condition} }}\n  ${key}: "yes"\n{{- else }}\n  ${key}: no\n{{- end }}`;
  const changed = `${textOf(state, path).trimEnd()}\n${lines}\n`;
  return textOf(state, path).includes('when')
    ? undefined
    : fileTo(state, path, changed, `when ${condition}`);
}

function inlineReference(state: State, random: Random) {
  const release = releasesOf(state).find(({ name }) => name === 'secretive');
  if (!release) return undefined;
  const to = random.pick(['ref+echo://alpha', 'ref+echo://beta', 'gamma', 'delta', 'epsilon']);
  const block = release.block.replace(/inline: \S+/, `inline: ${to}`);
  return releaseTo(state, release, block, `inline: ${to}`);
}

function otherChart(state: State, random: Random) {
  const release = random.pick(releasesOf(state));
  const chart = random.pick(['plain', 'filed', 'parent', 'looking']);
  const block = release.block.replace(
    /charts\/(plain|filed|parent|looking)\n/,
    `charts/${chart}\n`,
  );
  return releaseTo(state, release, block, `chart ${chart}`);
}

function comment(state: State, random: Random) {
  const path = random.pick(yamlFiles(state));
  const lines = textOf(state, path).split('\n');
  // Only at the start: within a flow or a block it might be text.
  const note = `# Note ${random.below(1_000)}`;
  return fileTo(state, path, [note, ...lines].join('\n'), note);
}

function whitespace(state: State, random: Random) {
  const path = random.pick(yamlFiles(state));
  const text = textOf(state, path);
  const changed = random.oneIn(2) ? `${text}\n` : text.replace(/\n {2}(\w)/, '\n\n  $1');
  return fileTo(state, path, changed, 'whitespace');
}

function swapLines(state: State, random: Random) {
  const path = random.pick(yamlFiles(state).filter((one) => !one.includes('helmfile')));
  const text = textOf(state, path);
  const swapped = text.replace(
    /^( +\w+: ?[^\n{]*)\n( +\w+: ?[^\n{]*)\n/m,
    (whole, a: string, b: string) => {
      const [first, second] = [/^ */.exec(a)?.[0], /^ */.exec(b)?.[0]];
      return first === second ? `${b}\n${a}\n` : whole;
    },
  );
  return fileTo(state, path, swapped, 'two lines swapped');
}

function swapReleases(state: State, random: Random) {
  const release = random.pick(releasesOf(state));
  const same = releasesOf(state).filter(({ path }) => path === release.path);
  const at = same.findIndex(({ name }) => name === release.name);
  const next = same[at + 1];
  if (!next || next.block.includes('needs:')) return undefined;
  const text = textOf(state, release.path);
  const swapped = text.replace(release.block + next.block, () => next.block + release.block);
  return fileTo(state, release.path, swapped, `${release.name} after ${next.name}`);
}

function labelRelease(state: State, random: Random) {
  const release = random.pick(releasesOf(state));
  const line = random.pick([
    'labels: { team: a }',
    'labels: { team: b }',
    'timeout: 77',
    'wait: false',
  ]);
  const block = `${release.block.replace(/ {4}(labels|timeout|wait): .*\n/, '')}    ${line}\n`;
  return releaseTo(state, release, block, line);
}

function changeDefaults(state: State, random: Random) {
  const { path } = random.pick(releasesOf(state));
  const text = textOf(state, path).replace(/timeout: \d+/, `timeout: ${300 + random.below(300)}`);
  return fileTo(state, path, text, 'default timeout');
}

function unrelatedFile(state: State, random: Random) {
  const path = random.pick([
    'README.md',
    '.github/CODEOWNERS',
    'environments/other.yaml',
    'notes.txt',
  ]);
  const changed = withFile(state, path, `text: ${random.below(1_000)}\n`);
  return { what: `${path}, which nobody reads`, touches: [], state: changed };
}

function yamlFiles(state: State): string[] {
  return [...state.files.keys()].filter(
    (path) => /\.yaml(\.gotmpl)?$/.test(path) && !path.includes('/templates/'),
  );
}

function releaseTo(state: State, release: Release, block: string, what: string) {
  const changed = withBlock(state, release, block);
  return changed && { what: `${release.name}: ${what}`, touches: [release.name], state: changed };
}

function fileTo(state: State, path: string, text: string, what: string) {
  if (textOf(state, path) === text) return undefined;
  const touches = readersOf(state, path);
  return { what: `${path}: ${what}`, touches, state: withFile(state, path, text) };
}
