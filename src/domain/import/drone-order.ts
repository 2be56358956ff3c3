import { findCycles } from '../cycles.ts';
import { Refusal } from '../errors.ts';
import type { ImportedEnvironment } from './drone-environment.ts';
import type { DronePipeline, DroneStep } from './drone-pipeline.ts';

/** A step that deploys, and what it deploys. */
export interface DeployingStep {
  pipeline: DronePipeline;
  step: DroneStep;
  environment: ImportedEnvironment;
}

type Before = (name: string) => readonly string[];

/**
 * The environments that must have succeeded before each: those of its own pipeline, or the last ones of
 * the pipelines before it. Steps and pipelines that deploy nothing are walked over.
 */
export function environmentsBefore(
  pipelines: readonly DronePipeline[],
  deploying: readonly DeployingStep[],
): Map<string, string[]> {
  checkOrder(pipelines);
  const ownOf = (pipeline: DronePipeline) => deploying.filter((each) => each.pipeline === pipeline);
  const beforeStep = ({ pipeline, step }: DeployingStep) =>
    nearest(
      step.name,
      (name) => stepsBefore(pipeline, name),
      (name) =>
        ownOf(pipeline)
          .filter((each) => each.step.name === name)
          .map(({ environment }) => environment.name),
    );
  const lastOf = (pipeline: DronePipeline) => {
    const waitedFor = ownOf(pipeline).flatMap(beforeStep);
    const names = ownOf(pipeline).map(({ environment }) => environment.name);
    return names.filter((name) => !waitedFor.includes(name));
  };
  const byId = new Map(pipelines.map((pipeline) => [idOf(pipeline), pipeline]));
  const beforePipeline = (pipeline: DronePipeline) =>
    nearest(
      idOf(pipeline),
      (id) => pipelinesBefore(byId.get(id), pipelines).map(idOf),
      (id) => {
        const found = byId.get(id);
        return found ? lastOf(found) : [];
      },
    );
  return new Map(
    deploying.map((each) => {
      const own = beforeStep(each);
      return [each.environment.name, own.length > 0 ? own : beforePipeline(each.pipeline)];
    }),
  );
}

/** Without any `depends_on`, Drone runs a pipeline's steps one after the other. */
function stepsBefore({ steps }: DronePipeline, name: string): readonly string[] {
  const at = steps.findIndex((step) => step.name === name);
  if (steps.some(({ dependsOn }) => dependsOn !== undefined)) return steps[at]?.dependsOn ?? [];
  const before = steps[at - 1];
  return before ? [before.name] : [];
}

/** A name means the pipeline of the same file first: files of other folders may use it too. */
function pipelinesBefore(
  pipeline: DronePipeline | undefined,
  pipelines: readonly DronePipeline[],
): DronePipeline[] {
  return (pipeline?.dependsOn ?? []).flatMap((name) => {
    const named = pipelines.filter((each) => each.name === name);
    const [found] = [...named.filter(({ file }) => file === pipeline?.file), ...named];
    return found ? [found] : [];
  });
}

/** Walks back until something is deployed, and no further. */
function nearest(from: string, before: Before, deployed: Before): string[] {
  const found = new Set<string>();
  const seen = new Set([from]);
  const open = [...before(from)];
  for (let name = open.shift(); name !== undefined; name = open.shift()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const environments = deployed(name);
    for (const environment of environments) found.add(environment);
    if (environments.length === 0) open.push(...before(name));
  }
  return [...found];
}

function checkOrder(pipelines: readonly DronePipeline[]): void {
  for (const pipeline of pipelines) {
    const names = pipeline.steps.map(({ name }) => name);
    checkCycle(pipeline, new Map(names.map((name) => [name, stepsBefore(pipeline, name)])));
  }
  const before = pipelines.map(
    (pipeline) => [idOf(pipeline), pipelinesBefore(pipeline, pipelines).map(idOf)] as const,
  );
  const [first] = pipelines;
  if (first) checkCycle(first, new Map(before));
}

function checkCycle(
  { file, line }: DronePipeline,
  before: ReadonlyMap<string, readonly string[]>,
): void {
  const [cycle] = findCycles(before);
  if (!cycle) return;
  const path = cycle.map((name) => name.replace(/^.*\0/, '')).join(' → ');
  throw new Refusal('invalid', `${file}:${line}: depends_on goes round in a circle: ${path}.`);
}

function idOf({ file, name }: DronePipeline): string {
  return `${file}\0${name}`;
}
