/** One action of a template, such as `{{ .Values.port | quote }}`; a comment is none. */
export interface TemplateAction {
  /** What stands between its braces. */
  text: string;
  /** The same without the texts in it, whose words name nothing. */
  code: string;
}

const ACTION = /\{\{-?([\s\S]*?)-?\}\}/g;
const COMMENT = /^\s*\/\*[\s\S]*\*\/\s*$/;
export const TEXT = /"(?:\\.|[^"\\\n])*"|`[^`]*`/g;
// A word that is no field and no variable.
const NAME = /(?<![\w.$])[A-Za-z_]\w*/g;

/**
 * Cuts a template of Go into its actions. Undefined where a brace or a quote is left over: a text or a
 * comment then holds the braces that end an action, and what is in it is not seen from here.
 */
export function cutActions(template: string): TemplateAction[] | undefined {
  const rest = template.replaceAll(ACTION, '');
  if (rest.includes('{{') || rest.includes('}}')) return undefined;
  const texts = Array.from(template.matchAll(ACTION), ([, text = '']) => text);
  const actions = texts
    .filter((text) => !COMMENT.test(text))
    .map((text) => ({ text, code: text.replaceAll(TEXT, ' ') }));
  return actions.some(({ code }) => /["'`]/.test(code)) ? undefined : actions;
}

/** Keywords and functions that an action uses. */
export function namesUsed({ code }: TemplateAction): string[] {
  return Array.from(code.matchAll(NAME), ([name]) => name);
}
