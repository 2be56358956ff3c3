import { posix } from 'node:path';
import {
  readRelease,
  twice,
  valuesFolder,
  type BuildDocument,
  type ReleaseEntry,
} from './build-output.ts';
import type { InputFile, InputFiles } from './input-files.ts';
import {
  EnvironmentValues,
  includesOthers,
  readByTemplates,
  type ValuesTemplate,
} from './template-reads.ts';

/** Everything that decides how one service is deployed, except for which chart a range resolves to. */
export interface ServiceInput {
  name: string;
  namespace: string;
  chart: string;
  /** Version or range of the chart; empty for the newest. */
  version: string;
  /** Folder of the helmfile that declares it, in the commit's tree. */
  folder: string;
  /** `installed: false`. */
  removed: boolean;
  hasCondition: boolean;
  /** Its evaluated release entry and what its helmfile says for all. Holds secrets. */
  evaluated: string;
  files: InputFile[];
  /** Why a change could hide from the above. */
  notUnderstood?: string;
}

/** Keys of a helmfile that say nothing of a service, or of which each service carries its own part. */
const NOT_SHARED = new Set([
  ...['releases', 'environments', 'renderedvalues', 'templates', 'helmfiles', 'bases'],
  ...['repositories', 'filepath', 'helmBinary', 'kustomizeBinary', 'missingFileHandler'],
]);

/**
 * Reads what each service of an environment is deployed from.
 *
 * @param embedded from `helmfile build --embed-values`: the values as they are evaluated
 * @param plain from `helmfile build`: the names of the files they come from
 * @param variables what templates see as environment variables
 */
export async function readServiceInputs(
  embedded: readonly BuildDocument[],
  plain: readonly BuildDocument[],
  files: InputFiles,
  variables: Readonly<Record<string, string>>,
): Promise<ServiceInput[]> {
  const evaluated = evaluatedServices(embedded);
  const inputs: Promise<ServiceInput>[] = [];
  const names = new Set<string>();
  for (const document of plain) {
    const folder = posix.dirname(document.source);
    for (const [name, text] of document.releases) {
      if (names.has(name)) throw twice(name);
      names.add(name);
      const found = evaluated.get(name) ?? NOT_EVALUATED;
      inputs.push(readInput(readRelease(text), text, found, { folder, files, variables }));
    }
  }
  return Promise.all(inputs);
}

interface Evaluated {
  release: string;
  /** What the helmfile says for all its releases. */
  shared: string;
  environment: EnvironmentValues;
}

const NOT_EVALUATED: Evaluated = {
  release: '',
  shared: '',
  environment: new EnvironmentValues(''),
};

/** The evaluated text of each service; two builds of a stable service give the same. */
export function evaluatedServices(
  embedded: readonly BuildDocument[],
): ReadonlyMap<string, Evaluated> {
  const services = new Map<string, Evaluated>();
  for (const { sections, releases } of embedded) {
    const shared = [...sections].filter(([key]) => !NOT_SHARED.has(key)).map(([, text]) => text);
    const environment = new EnvironmentValues(sections.get('renderedvalues') ?? '');
    for (const [name, release] of releases) {
      services.set(name, { release, shared: shared.join(''), environment });
    }
  }
  return services;
}

/** What is the same in every build of a stable service, and the start of `ServiceInput.evaluated`. */
export function evaluatedText({ release, shared }: Pick<Evaluated, 'release' | 'shared'>): string {
  return `${shared}\0${release}\0`;
}

interface Place {
  folder: string;
  files: InputFiles;
  variables: Readonly<Record<string, string>>;
}

async function readInput(
  entry: ReleaseEntry,
  text: string,
  { release, shared, environment }: Evaluated,
  { folder, files, variables }: Place,
): Promise<ServiceInput> {
  const { name, namespace, chart, version, hasCondition } = entry;
  const referred = await referredFiles(entry, folder, files);
  const { templates, helpers } = await valuesTemplates(referred.files, files);
  const read = readByTemplates(templates, environment, variables);
  const notUnderstood = referred.outside ?? doubtsOf(entry, text + release) ?? read.notUnderstood;
  return {
    ...{ name, namespace, chart, version, folder, hasCondition },
    removed: !entry.installed,
    evaluated: evaluatedText({ release, shared }) + read.text,
    files: [...referred.files, ...helpers],
    ...(notUnderstood === undefined ? {} : { notUnderstood }),
  };
}

/** The templates among the files of a service, and those beside them that helmfile lets them include. */
async function valuesTemplates(
  referred: readonly InputFile[],
  files: InputFiles,
): Promise<{ templates: ValuesTemplate[]; helpers: InputFile[] }> {
  const withText = (found: readonly InputFile[]) =>
    Promise.all(found.map(async ({ path }) => ({ path, text: await files.text(path) })));
  const templates = await withText(referred.filter(({ path }) => path.endsWith('.gotmpl')));
  const including = templates.filter(includesOthers).map(({ path }) => posix.dirname(path));
  const beside = [...new Set(including)].map((folder) => files.named(folder, '_*.tpl'));
  const helpers = (await Promise.all(beside)).flatMap((found) => found ?? []);
  return { templates: [...templates, ...(await withText(helpers))], helpers };
}

/** What makes a service depend on more than its text and its files. */
function doubtsOf({ fields }: ReleaseEntry, text: string): string | undefined {
  const reference = /(?:secret)?ref\+[a-z0-9]+/i.exec(text)?.[0];
  if (reference !== undefined) return `${reference} is resolved only by the apply`;
  const unknown = ['hooks', 'postRenderer', 'dependencies'].find(
    (key) => fields[key] !== undefined,
  );
  return unknown === undefined ? undefined : `it has ${unknown}`;
}

// Names and the like: a file that happens to be called so is not meant.
const NO_PATHS = new Set(['name', 'namespace', 'chart', 'version', 'labels', 'needs', 'condition']);

async function referredFiles(
  entry: ReleaseEntry,
  folder: string,
  files: InputFiles,
): Promise<{ files: InputFile[]; outside?: string }> {
  const from = valuesFolder(entry, folder);
  const found: InputFile[] = [];
  let outside: string | undefined;
  for (const [key, value] of Object.entries(entry.fields)) {
    if (NO_PATHS.has(key)) continue;
    const isValues = key === 'values' || key === 'secrets';
    for (const { text, depth } of textsIn(value)) {
      if (isValues && depth === 1) {
        const named = await files.named(from, text);
        if (named) found.push(...named);
        else outside ??= `${text} is outside the repository`;
      } else if (isPathLike(text)) {
        const file = await files.find(posix.join(folder, text));
        if (file) found.push(file);
      }
    }
  }
  return { files: found, ...(outside === undefined ? {} : { outside }) };
}

function isPathLike(text: string): boolean {
  return text.length > 0 && text.length < 500 && !/[\0\n]/.test(text);
}

function textsIn(value: unknown, depth = 0): { text: string; depth: number }[] {
  if (typeof value === 'string') return [{ text: value, depth }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((inner) => textsIn(inner, depth + 1));
}
