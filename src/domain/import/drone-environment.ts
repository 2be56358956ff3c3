import { isReservedVariable } from '../reserved-variables.ts';
import type { ScriptFacts } from './deploy-script.ts';
import type { DroneStep } from './drone-pipeline.ts';
import type { Note } from './note.ts';

/** An environment as `slipway.yaml` has it, read from the step that deploys it. */
export interface ImportedEnvironment {
  name: string;
  namespace: string;
  cluster: string;
  server?: string;
  /** Name of the environment variable that holds the token. */
  token: string;
  variables: ReadonlyMap<string, { text: string } | { env: string }>;
  after: readonly string[];
  restart: readonly string[];
}

// They say where to deploy, which is the environment's own part of slipway.yaml.
const PLACE = ['KUBE_NAMESPACE', 'KUBE_CLUSTER', 'KUBE_SERVER', 'KUBE_TOKEN'];

/** The environment that a step deploys; none where only a run of Drone could tell which one it is. */
export function readEnvironment(
  file: string,
  step: DroneStep,
  facts: ScriptFacts,
): { environment?: ImportedEnvironment; notes: Note[] } {
  const { line } = step;
  const notes: Note[] = [];
  const note = (kind: Note['kind'], text: string) => notes.push({ kind, file, line, text });
  const given = (name: string) => {
    const value = step.environment.get(name);
    if (value && 'text' in value) return value.text;
    return name === 'DRONE_STEP_NAME' ? step.name : undefined;
  };
  const filledIn = (argument: string | undefined) =>
    argument?.replaceAll(/\$\{?(\w+)\}?/g, (whole, name: string) => given(name) ?? whole);
  const name = filledIn(facts.environment) ?? given('KUBE_NAMESPACE') ?? '';
  const namespace = filledIn(facts.namespace) ?? given('KUBE_NAMESPACE') ?? name;
  const wrong = [name, namespace].find((one) => !isName(one));
  if (wrong !== undefined) {
    const text = `the step ${step.name}: "${wrong}" is no fixed name of an environment and its namespace`;
    note('not carried over', text);
    return { notes };
  }
  const cluster = clusterName(given('KUBE_CLUSTER'));
  const server = given('KUBE_SERVER');
  if (server === undefined) {
    const text = `write the server of cluster ${cluster} into slipway.yaml: the step ${step.name} does not name it`;
    note('to do', text);
  }
  const variables = new Map<string, { text: string } | { env: string }>();
  for (const [key, value] of step.environment) {
    if (PLACE.includes(key)) continue;
    if (isReservedVariable(key))
      note('not carried over', `the variable ${key} of the step ${step.name}`);
    else variables.set(key, 'text' in value ? value : { env: variableName(value.secret) });
  }
  const secret = step.environment.get('KUBE_TOKEN');
  if (secret && 'text' in secret) {
    note('wrong already', `the token of the step ${step.name} stands in the file for all to read`);
  }
  // A token that stands in the file itself is not copied any further.
  const token = secret && 'secret' in secret ? secret.secret : `KUBE_TOKEN_${name}`;
  const environment = {
    ...{ name, namespace, cluster, variables, after: [], restart: facts.restart },
    token: variableName(token),
    ...(server === undefined ? {} : { server }),
  };
  return { environment, notes };
}

function isName(text: string): boolean {
  return /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text);
}

function clusterName(text = 'default'): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^-|-$/g, '');
}

/** Secrets of Drone are named freely; variables of an environment are not. */
function variableName(secret: string): string {
  const name = secret.toUpperCase().replaceAll(/[^A-Z0-9_]/g, '_');
  return /^[0-9]/.test(name) ? `_${name}` : name;
}
