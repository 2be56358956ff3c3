import { readEnvironmentFacts, type FactsPlace } from '../adapters/helmfile/environment-facts.ts';
import { Evaluations } from '../adapters/helmfile/evaluations.ts';
import { Helmfile } from '../adapters/helmfile/helmfile.ts';
import { withWorkspace } from '../adapters/helmfile/workspace.ts';
import { CONTEXT, writeKubeconfig, type ClusterAccess } from '../adapters/kubernetes/access.ts';
import type { EnvironmentConfig, RepositoryConfig } from '../config/config.ts';
import type { EnvironmentFacts } from '../domain/check/facts.ts';
import { checkServices } from '../domain/check/services.ts';
import type { Note } from '../domain/import/note.ts';
import { createGrowingRedactor } from '../domain/redact/growing.ts';
import { sentenceOf } from '../domain/why/rules.ts';
import { checkAgainstCluster } from './check-cluster.ts';
import { checkVariables, type CheckVariables } from './check-variables.ts';

export interface CheckPlace {
  /** A copy of the repository's files. */
  tree: string;
  /** Name of its first helmfile, for what concerns a whole environment. */
  helmfile: string;
  dataDir: string;
  /** Text by path, of the files that may hold templates. */
  texts: ReadonlyMap<string, string>;
  /** What slipway.yaml says about it. */
  config?: RepositoryConfig;
  tools: { helm: string; helmfile: string };
  /** The cluster that is asked what it serves. */
  cluster?: Omit<ClusterAccess, 'namespace'>;
  signal: AbortSignal;
}

export interface CheckedEnvironment {
  name: string;
  /** Whether a deployment could evaluate it. */
  builds: boolean;
  /** Undefined where its helmfiles cannot be evaluated. */
  facts?: EnvironmentFacts;
  notes: Note[];
}

const DOES_NOT_BUILD = 'it does not build';

/** Evaluates one environment as a deployment would, and says what is wrong with it. */
export async function checkEnvironment(
  checkout: CheckPlace,
  name: string,
): Promise<CheckedEnvironment> {
  const environment = checkout.config?.environments.get(name);
  const variables = await checkVariables(environment, checkout.texts.values(), process.env);
  const notes = configurationNotes(checkout, environment, name);
  const unknown = (kind: Note['kind'], what: string, why: string) => {
    const text = `${what}: ${inOneLine(why)}${hint(variables.missing)}`;
    notes.push(note(kind, name, text, checkout.helmfile));
  };
  try {
    return await withHelmfile(checkout, name, variables, async (helmfile, place) => {
      const { facts, chartsNotChecked, buildFault } = await readEnvironmentFacts(helmfile, place);
      notes.push(...checkServices(facts), ...variableNotes(facts, environment));
      const builds = !buildFault && facts.services.every(({ missing }) => missing.length === 0);
      if (buildFault !== undefined) unknown('wrong already', DOES_NOT_BUILD, buildFault);
      if (chartsNotChecked !== undefined) {
        unknown('worth knowing', 'charts were not checked', chartsNotChecked);
      } else if (checkout.cluster) {
        const access = { ...checkout.cluster, namespace: environment?.namespace ?? name };
        await checkAgainstCluster(helmfile, facts, access).then(
          (found) => notes.push(...found),
          (error: unknown) => {
            unknown('worth knowing', 'API versions were not checked', sentenceOf(error));
          },
        );
      }
      return { name, builds, facts, notes };
    });
  } catch (error) {
    unknown('wrong already', DOES_NOT_BUILD, sentenceOf(error));
    return { name, builds: false, notes };
  }
}

async function withHelmfile<T>(
  { tree, dataDir, tools, config, cluster, signal }: CheckPlace,
  name: string,
  { values, secrets }: CheckVariables,
  work: (helmfile: Helmfile, place: FactsPlace) => Promise<T>,
): Promise<T> {
  const environment = config?.environments.get(name);
  const namespace = environment?.namespace ?? name;
  const allow = environment?.allow ?? [];
  // One home of Helm for all of them: they mostly share their chart repositories.
  const place = { dataDir, cluster: 'check', namespace: 'all', name, tools, allow };
  return withWorkspace(place, async (workspace) => {
    if (cluster) await writeKubeconfig(workspace.kubeconfig, { ...cluster, namespace });
    const redactor = createGrowingRedactor(secrets);
    const helmfile = new Helmfile({
      ...{ environment: name, namespace, kubeContext: CONTEXT, attempt: 'check/0', redactor },
      ...{ variables: values, evaluations: new Evaluations() },
      ...{ readOnly: true, signal },
      workspace: { ...workspace, tree },
    });
    return work(helmfile, { environment: name, tree, helmHome: workspace.helmHome });
  });
}

function note(kind: Note['kind'], environment: string, text: string, file: string): Note {
  return { kind, file, line: 0, text, environments: [environment] };
}

function configurationNotes(
  { config, helmfile }: CheckPlace,
  environment: EnvironmentConfig | undefined,
  name: string,
): Note[] {
  if (!config || environment) return [];
  return [note('worth knowing', name, 'not in slipway.yaml, so nobody releases it', helmfile)];
}

function variableNotes(
  facts: EnvironmentFacts,
  environment: EnvironmentConfig | undefined,
): Note[] {
  if (!environment) return [];
  return facts.services
    .flatMap(({ variables }) => variables)
    .filter(({ name }) => !environment.variables.has(name))
    .map(({ name, file }) => {
      const text = `reads the environment variable ${name}, which \`variables\` of slipway.yaml do not give`;
      return note('worth knowing', facts.environment, text, file);
    });
}

function hint(missing: readonly string[]): string {
  if (missing.length === 0) return '';
  return ` (set ${missing.join(', ')} to check with their real values)`;
}

function inOneLine(text: string): string {
  const line = text.replaceAll(/\s*\n\s*/g, ' ').trim();
  return line.length > 600 ? `${line.slice(0, 600)}…` : line;
}
