import { configText, repositoryName } from '../adapters/deployment-repository/config-text.ts';
import { readDroneFile } from '../adapters/deployment-repository/drone-file.ts';
import type { RepositoryConfig } from '../config/config.ts';
import { parseConfig } from '../config/parse.ts';
import { formatProblem } from '../config/problems.ts';
import { gitUrlFault } from '../config/urls.ts';
import type { FileChange } from '../domain/diff/file.ts';
import { Refusal } from '../domain/errors.ts';
import { differences } from '../domain/import/differences.ts';
import { importDrone, type DroneImport } from '../domain/import/drone.ts';
import type { Note } from '../domain/import/note.ts';
import { modernState } from '../domain/import/state-files.ts';

const CONFIG = 'slipway.yaml';
const DRONE = /(^|\/)\.drone\.ya?ml$/;
const GENERATED_DRONE = /(^|\/)\.drone\.(jsonnet|star)$/;
const HELMFILE = /(^|\/)helmfile\.(ya?ml(\.gotmpl)?$|d\/)/;

/** What a repository of the old kind needs, and what people should know about it. */
export interface Proposal {
  changes: FileChange[];
  notes: Note[];
  /** What the repository's slipway.yaml will say about it. */
  config?: RepositoryConfig;
}

/** What is known of a repository besides its files. */
export interface RepositoryPlace {
  folder: string;
  /** Where `origin` is. */
  url: string | undefined;
  /** Service to version key, by environment, where that is known. */
  versionKeys?: ReadonlyMap<string, ReadonlyMap<string, string>> | undefined;
}

/**
 * Proposes the change for a repository of the old kind. Throws a refusal for what is no deployment
 * repository, or has a file that cannot be read.
 *
 * @param files text by path within the repository
 * @param paths every file, also those without a text
 */
export function proposeImport(
  files: ReadonlyMap<string, string>,
  paths: readonly string[],
  place: RepositoryPlace,
): Proposal {
  const drone = [...files].filter(([path]) => DRONE.test(path));
  if (drone.length === 0 && !paths.some((path) => HELMFILE.test(path))) {
    const message = `${place.folder} has neither a helmfile nor a .drone.yml: it is no deployment repository.`;
    throw new Refusal('invalid', message);
  }
  const droneFiles = drone.map(([path, text]) => readDroneFile(text, path));
  const pipelines = droneFiles.flatMap((each) => each.pipelines);
  const imported = importDrone(pipelines, (path) => files.get(path));
  const { changes, notes } = modernState(files);
  notes.push(...droneFiles.flatMap((each) => each.notes), ...imported.notes);
  for (const file of paths.filter((path) => GENERATED_DRONE.test(path))) {
    const text = 'a pipeline that a program writes: run it, and import what it writes';
    notes.push({ kind: 'not carried over', file, line: 0, text });
  }
  const existing = files.get(CONFIG);
  const text = existing ?? proposedConfig(imported, place);
  if (existing === undefined && text !== undefined) {
    changes.push({ newPath: CONFIG, before: '', after: text });
  }
  const read = text === undefined ? undefined : readConfig(text, imported);
  notes.push(...(read?.notes ?? []), ...differences(imported.environments, CONFIG));
  return { changes, notes, ...(read?.config && { config: read.config }) };
}

function proposedConfig(
  { environments, branch = 'main' }: DroneImport,
  { folder, url, versionKeys }: RepositoryPlace,
): string | undefined {
  if (environments.length === 0) return undefined;
  const repository = repositoryName(folder);
  const example = `https://git.example.org/${repository}.git`;
  return configText({
    source: 'the pipelines of this repository',
    ...{ repository, branch },
    url: url === undefined || gitUrlFault(url) !== undefined ? example : url,
    environments: environments.map((environment) => ({
      ...environment,
      versionKeys: versionKeys?.get(environment.name) ?? new Map(),
    })),
  });
}

/** What is configured; of an existing file, which is a person's, it is said what it lacks. */
function readConfig(
  text: string,
  { environments }: DroneImport,
): { config?: RepositoryConfig; notes: Note[] } {
  const note = (said: string): Note => ({ kind: 'to do', file: CONFIG, line: 0, text: said });
  const parsed = parseConfig(text, CONFIG);
  if (!parsed.ok) return { notes: parsed.problems.map((problem) => note(formatProblem(problem))) };
  const all = [...parsed.config.repositories.values()];
  const known = new Set(all.flatMap((repository) => [...repository.environments.keys()]));
  const missing = environments.filter(({ name }) => !known.has(name));
  const notes = missing.map(({ name }) =>
    note(`the environment ${name}, which Drone deploys, is not configured`),
  );
  const [config, ...others] = all;
  return { notes, ...(config && others.length === 0 ? { config } : {}) };
}
