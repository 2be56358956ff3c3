import { readCommands, type ReadScript } from './deploy-script.ts';
import { readEnvironment, type ImportedEnvironment } from './drone-environment.ts';
import { environmentsBefore, type DeployingStep } from './drone-order.ts';
import type { DroneKey, DronePipeline } from './drone-pipeline.ts';
import type { Note } from './note.ts';

export interface DroneImport {
  environments: ImportedEnvironment[];
  /** Undefined where no pipeline names one. */
  branch?: string;
  notes: Note[];
}

/**
 * What Drone's pipelines deploy, as environments, and a note for everything that is not carried over.
 * Throws a refusal for steps or pipelines that wait for each other in a circle.
 */
export function importDrone(
  pipelines: readonly DronePipeline[],
  readScript: ReadScript,
): DroneImport {
  const notes: Note[] = [];
  const deploying: DeployingStep[] = [];
  for (const pipeline of pipelines) {
    const { file } = pipeline;
    notes.push(...pipeline.other.map((other) => leftOut(file, other, `pipeline ${pipeline.name}`)));
    for (const step of pipeline.steps) {
      const facts = readCommands(step.commands, readScript);
      if (!facts.deploys) {
        notes.push(left(file, step.line, `the step ${step.name}, which deploys nothing`));
        continue;
      }
      notes.push(...step.other.map((other) => leftOut(file, other, `step ${step.name}`)));
      notes.push(...facts.left);
      const read = readEnvironment(file, step, facts);
      notes.push(...read.notes);
      const { environment } = read;
      const twice = deploying.some((other) => other.environment.name === environment?.name);
      if (twice) notes.push(left(file, step.line, `a second step for ${environment?.name ?? ''}`));
      else if (environment) deploying.push({ pipeline, step, environment });
    }
  }
  const before = environmentsBefore(pipelines, deploying);
  const environments = deploying.map(({ environment }) => ({
    ...environment,
    after: before.get(environment.name) ?? [],
  }));
  const { branch, note } = branchOf(pipelines);
  if (note) notes.push(note);
  return { environments, notes, ...(branch === undefined ? {} : { branch }) };
}

function branchOf(pipelines: readonly DronePipeline[]): { branch?: string; note?: Note } {
  const [branch, ...others] = new Set(pipelines.flatMap(({ branches }) => branches));
  if (branch === undefined) return {};
  const [other] = others;
  const place = pipelines.find(({ branches }) => other !== undefined && branches.includes(other));
  if (!place) return { branch };
  const text = `the branches ${others.join(', ')}: Slipway follows one branch of a repository, ${branch}`;
  return { branch, note: left(place.file, place.line, text) };
}

function left(file: string, line: number, text: string): Note {
  return { kind: 'not carried over', file, line, text };
}

function leftOut(file: string, { key, line }: DroneKey, of: string): Note {
  return left(file, line, `\`${key}\` of the ${of}`);
}
