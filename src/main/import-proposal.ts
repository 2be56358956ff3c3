import { basename, resolve } from 'node:path';
import { configText } from '../adapters/deployment-repository/config-text.ts';
import { readDroneFile } from '../adapters/deployment-repository/drone-file.ts';
import { parseConfig } from '../config/parse.ts';
import { formatProblem } from '../config/problems.ts';
import { gitUrlFault } from '../config/urls.ts';
import type { FileChange } from '../domain/diff/file.ts';
import { Refusal } from '../domain/errors.ts';
import { differences } from '../domain/import/differences.ts';
import { importDrone, type DroneImport } from '../domain/import/drone.ts';
import type { Note } from '../domain/import/note.ts';
import { modernState } from '../domain/import/state-files.ts';

export const CONFIG = 'slipway.yaml';
const DRONE = /(^|\/)\.drone\.ya?ml$/;
const GENERATED_DRONE = /(^|\/)\.drone\.(jsonnet|star)$/;
const HELMFILE = /(^|\/)helmfile\.(ya?ml(\.gotmpl)?$|d\/)/;

/** What a repository of the old kind needs, and what people should know about it. */
export interface Proposal {
  changes: FileChange[];
  notes: Note[];
}

/** What is known of a repository besides its files. */
export interface RepositoryPlace {
  folder: string;
  /** Where `origin` is. */
  url: string | undefined;
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
  const read = drone.map(([path, text]) => readDroneFile(text, path));
  const pipelines = read.flatMap((each) => each.pipelines);
  const imported = importDrone(pipelines, (path) => files.get(path));
  const { changes, notes } = modernState(files);
  notes.push(...read.flatMap((each) => each.notes), ...imported.notes);
  for (const file of paths.filter((path) => GENERATED_DRONE.test(path))) {
    const text = 'a pipeline that a program writes: run it, and import what it writes';
    notes.push({ kind: 'not carried over', file, line: 0, text });
  }
  const config = files.get(CONFIG);
  if (config !== undefined) notes.push(...notConfigured(config, imported));
  else if (imported.environments.length > 0) {
    const proposed = proposedConfig(imported, place);
    changes.push({ newPath: CONFIG, before: '', after: proposed.text });
    notes.push(...proposed.notes);
  }
  notes.push(...differences(imported.environments, CONFIG));
  return { changes, notes };
}

function proposedConfig(
  { environments, branch = 'main' }: DroneImport,
  { folder, url }: RepositoryPlace,
): { text: string; notes: Note[] } {
  const repository = nameOf(folder);
  const example = `https://git.example.org/${repository}.git`;
  const text = configText({
    ...{ repository, branch, environments },
    url: url === undefined || gitUrlFault(url) !== undefined ? example : url,
  });
  const parsed = parseConfig(text, CONFIG);
  const notes = (parsed.ok ? [] : parsed.problems).map((problem): Note => ({
    kind: 'to do',
    file: CONFIG,
    line: 0,
    text: formatProblem(problem),
  }));
  return { text, notes };
}

/** An existing configuration is a person's: what it lacks is said. */
function notConfigured(text: string, { environments }: DroneImport): Note[] {
  const parsed = parseConfig(text, CONFIG);
  const note = (said: string): Note => ({ kind: 'to do', file: CONFIG, line: 0, text: said });
  if (!parsed.ok) return parsed.problems.map((problem) => note(formatProblem(problem)));
  const known = new Set(
    [...parsed.config.repositories.values()].flatMap((repository) => [
      ...repository.environments.keys(),
    ]),
  );
  return environments
    .filter(({ name }) => !known.has(name))
    .map(({ name }) => note(`the environment ${name}, which Drone deploys, is not configured`));
}

function nameOf(folder: string): string {
  const name = basename(resolve(folder))
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^-|-$/g, '');
  return name === '' ? 'deployments' : name;
}
