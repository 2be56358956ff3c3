import type { Note } from './note.ts';

/** What commands do besides preparing helmfile and calling it. */
export interface ScriptFacts {
  /** Whether they deploy with helmfile at all. */
  deploys: boolean;
  /** What they give helmfile as its environment and namespace, such as `${KUBE_NAMESPACE}`. */
  environment?: string;
  namespace?: string;
  /** Workloads that they restart, such as `deployment/frontend`. */
  restart: string[];
  /** Whose work is not carried over. */
  left: Note[];
}

export interface Command {
  file: string;
  line: number;
  text: string;
}

/** Reads a script of the repository; undefined where there is none. */
export type ReadScript = (path: string) => string | undefined;

// Slipway does these itself, or they only prepare what it does.
const DONE_BY_SLIPWAY = [
  /^(#|$)/,
  /^set\s+[-+]/,
  /^kubectl\s+config\s/,
  /^kubectl\s+rollout\s+status\s/,
  /^export\s+(KUBE\w*|HELM\w*)=/,
  /^(fi|done|else|then|exit(\s+\d+)?|\}|\{)$/,
  /^echo\s/,
];
const AUTHORITY = /^(wget|curl)\s.*(\.crt|\.pem|\bca\b)/i;
const RESTART = /^kubectl\s+rollout\s+restart\s+(.*)$/;
const FLAGS = /(^|\s)(-n|--namespace|--context)(\s+|=)\S+/g;
const KINDS = new Map([
  ['deploy', 'deployment'],
  ['deployment', 'deployment'],
  ['deployments', 'deployment'],
  ['sts', 'statefulset'],
  ['statefulset', 'statefulset'],
  ['statefulsets', 'statefulset'],
  ['ds', 'daemonset'],
  ['daemonset', 'daemonset'],
  ['daemonsets', 'daemonset'],
]);
// What every environment gets anyway; any other flag changes what is deployed.
const HELMFILE_FLAGS =
  /^(-e|--environment|-n|--namespace|--kube-context|-f|--file|--concurrency|--log-level)$/;
// Slipway does them, or they change nothing.
const PREPARES = /^(deps|repos|version)$/;
const BARE_FLAGS = /^(--no-color|--quiet|-q|--skip-deps|--suppress-secrets|--interactive=false)$/;

const SCRIPT = /^(?:(?:ba)?sh(?:\s+-\w+)*\s+|\.\/)(\S+)$/;
const SCRIPTS_IN_SCRIPTS_MAX = 5;

/** Reads the commands of a deployment, and of the scripts that they run. */
export function readCommands(
  commands: readonly Command[],
  readScript: ReadScript,
  depth = 0,
): ScriptFacts {
  const facts: ScriptFacts = { deploys: false, restart: [], left: [] };
  for (const command of commands) {
    const script = SCRIPT.exec(command.text)?.[1]?.replace(/^\.\//, '');
    const source = script === undefined ? undefined : readScript(script);
    if (script !== undefined && source !== undefined && depth < SCRIPTS_IN_SCRIPTS_MAX) {
      const inner = readCommands(shellCommands(source, script), readScript, depth + 1);
      facts.restart.push(...inner.restart);
      facts.left.push(...inner.left);
      takeOver(facts, inner);
    } else readCommand(command, facts);
  }
  return { ...facts, restart: [...new Set(facts.restart)] };
}

function readCommand(command: Command, facts: ScriptFacts): void {
  const { text } = command;
  const workload = restarted(text);
  if (workload !== undefined) facts.restart.push(workload);
  else if (text.startsWith('helmfile ')) {
    const { verb, plain, ...call } = readHelmfile(text);
    const deploys = /^(apply|sync)$/.test(verb);
    if (deploys) takeOver(facts, { deploys, ...call });
    if (!plain || !(deploys || PREPARES.test(verb))) facts.left.push(notCarriedOver(command));
  } else if (AUTHORITY.test(text)) {
    const { file, line } = command;
    const what = 'give slipway.yaml the certificate authority that is fetched here';
    facts.left.push({
      kind: 'to do',
      file,
      line,
      text: `${what} (clusters.<name>.certificateAuthority)`,
    });
  } else if (!DONE_BY_SLIPWAY.some((pattern) => pattern.test(text))) {
    facts.left.push(notCarriedOver(command));
  }
}

function takeOver(
  facts: ScriptFacts,
  { deploys, environment, namespace }: Pick<ScriptFacts, 'deploys' | 'environment' | 'namespace'>,
): void {
  facts.deploys ||= deploys;
  if (environment !== undefined) facts.environment ??= environment;
  if (namespace !== undefined) facts.namespace ??= namespace;
}

function notCarriedOver({ file, line, text }: Command): Note {
  return { kind: 'not carried over', file, line, text: `the command \`${text}\`` };
}

/** The commands of a shell script; a line that ends in `\\` goes on in the next. */
export function shellCommands(source: string, file: string, firstLine = 1): Command[] {
  const commands: Command[] = [];
  let open: { line: number; text: string } | undefined;
  source.split(/\r?\n/).forEach((raw, at) => {
    const text = raw.trim();
    if (open) open.text += ` ${text}`;
    else open = { line: firstLine + at, text };
    if (text.endsWith('\\')) {
      open.text = open.text.slice(0, -1).trim();
      return;
    }
    const { line } = open;
    for (const part of open.text.split(/\s*(?:&&|;)\s*/)) commands.push({ file, line, text: part });
    open = undefined;
  });
  if (open) commands.push({ file, ...open });
  return commands;
}

function restarted(text: string): string | undefined {
  const words =
    RESTART.exec(text)?.[1]
      ?.replaceAll(FLAGS, '')
      .trim()
      .split(/[\s/]+/) ?? [];
  const [kind = '', name = '', ...more] = words;
  const known = KINDS.get(kind.toLowerCase());
  const plain = more.length === 0 && /^[a-z0-9][a-z0-9.-]*$/.test(name);
  return known !== undefined && plain ? `${known}/${name}` : undefined;
}

interface HelmfileCall {
  verb: string;
  environment?: string;
  namespace?: string;
  /** Whether nothing is asked for but to deploy an environment. */
  plain: boolean;
}

function readHelmfile(text: string): HelmfileCall {
  const words = text.split(/\s+/).slice(1);
  const call: HelmfileCall = { verb: '', plain: true };
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const [flag = '', inline] = word.split('=', 2);
    if (HELMFILE_FLAGS.test(flag)) {
      if (inline === undefined) at += 1;
      const value = (inline ?? words[at] ?? '').replaceAll(/["']/g, '');
      if (flag === '-e' || flag === '--environment') call.environment = value;
      if (flag === '-n' || flag === '--namespace') call.namespace = value;
    } else if (call.verb === '' && /^[a-z-]+$/.test(word) && !word.startsWith('-'))
      call.verb = word;
    else if (!BARE_FLAGS.test(word)) call.plain = false;
  }
  return call;
}
