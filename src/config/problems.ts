/** One mistake in slipway.yaml. Its texts never hold the value of a secret. */
export interface Problem {
  file: string;
  /** From 1, as editors count. */
  line: number;
  column: number;
  /** The key, such as `repositories.notprod.environments.cs-qa.after[0]`; empty for the file. */
  path: string;
  message: string;
  /** What to do about it. */
  fix?: string;
}

/** Where a value stands in the file: keys of maps and indexes of lists. */
export type Path = readonly (string | number)[];

/** A problem before it has a place: at the key or at the value of a path. */
export interface Finding {
  path: Path;
  at: 'key' | 'value';
  message: string;
  /** Another key that the message ends with, and whose place is told. */
  other?: Path;
  fix?: string;
}

/** The configuration cannot be used; the message lists every problem, one a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'));
    this.problems = problems;
  }
}

/** `slipway.yaml:14:7 unknown key "aprovals", did you mean "approvals"?` */
export function formatProblem(problem: Problem): string {
  const { file, line, column, message, fix } = problem;
  const separator = fix?.endsWith('?') ? ', ' : '; ';
  return `${file}:${line}:${column} ${message}${fix === undefined ? '' : separator + fix}`;
}

/** Writes a path as people do: `clusters.notprod.token`, `after[0]`. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    const key = /^[\w-]+$/.test(step) ? step : quote(step);
    return text === '' ? key : `${text}.${key}`;
  }, '');
}

/** A key or name from the file, bounded and without control characters, for a message. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}

/** From top to bottom of the file. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
}
