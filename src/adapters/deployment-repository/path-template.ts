/**
 * Evaluates the template in a path of helmfile's `environments:`, where it is one of the few that
 * repositories use there: the environment's name, or the name with a part replaced. Returns undefined
 * for every other: a guess would change the wrong environment.
 */
export function evaluatePath(path: string, environment: string): string | undefined {
  const values = [...path.matchAll(ACTION)].map(([, expression = '']) =>
    evaluate(expression, environment),
  );
  if (values.includes(undefined)) return undefined;
  return path.replaceAll(ACTION, () => values.shift() ?? '');
}

const ACTION = /\{\{-?\s*(.*?)\s*-?\}\}/g;
const NAME = String.raw`\(?\s*\.Environment\.Name\s*\)?`;
const TEXT = String.raw`("(?:[^"\\]|\\.)*"|${'`[^`]*`'})`;
const WHOLE_NAME = new RegExp(`^${NAME}$`);
const REPLACED = new RegExp(`^regexReplaceAll\\s+${TEXT}\\s+${NAME}\\s+${TEXT}$`);

function evaluate(expression: string, environment: string): string | undefined {
  if (WHOLE_NAME.test(expression)) return environment;
  const [, pattern, replacement] = REPLACED.exec(expression) ?? [];
  if (pattern === undefined || replacement === undefined) return undefined;
  const by = unquoted(replacement);
  // Go writes references to groups in another way than JavaScript.
  if (by === undefined || by.includes('$')) return undefined;
  try {
    return environment.replaceAll(new RegExp(unquoted(pattern) ?? '', 'gu'), by);
  } catch {
    return undefined;
  }
}

function unquoted(text: string): string | undefined {
  if (text.startsWith('`')) return text.slice(1, -1);
  try {
    return JSON.parse(text) as string;
  } catch {
    return undefined;
  }
}
