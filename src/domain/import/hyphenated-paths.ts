import { templateActions, type Token } from './template-actions.ts';

export interface RewrittenTemplate {
  text: string;
  changes: { line: number; from: string; to: string }[];
  /** What looks like a hyphenated path and cannot be rewritten with certainty. */
  left: { line: number; path: string }[];
}

const OPENS_COMMAND = new Set(['(', ':=', '=', 'if', 'with', 'range', 'else', 'return']);
const ENDS_COMMAND = new Set([')', '|']);

/**
 * Replaces field paths with a hyphen, which Go templates refuse (`bad character U+002D '-'`), by `index`:
 * `.Values.versions.some-name` becomes `index .Values.versions "some-name"`. Touches nothing else.
 */
export function rewriteHyphenatedPaths(source: string): RewrittenTemplate {
  const edits: { token: Token; to: string }[] = [];
  const left: RewrittenTemplate['left'] = [];
  for (const { tokens } of templateActions(source)) {
    const solid = tokens.filter(({ kind }) => kind !== 'space');
    solid.forEach((token, at) => {
      if (token.kind !== 'path' || !token.text.includes('-')) return;
      const before = solid[at - 1];
      // A path that goes on from something in front of it, as `(…).a-b` does.
      if (before && before.from + before.text.length === token.from && isOperandEnd(before)) {
        left.push({ line: lineOf(source, token.from), path: `${before.text}${token.text}` });
        return;
      }
      const opens = before === undefined || OPENS_COMMAND.has(before.text);
      const next = solid[at + 1];
      const ends = next === undefined || ENDS_COMMAND.has(next.text);
      const call = indexCall(token.text);
      edits.push({ token, to: opens && ends ? call : `(${call})` });
    });
  }
  let text = source;
  for (const { token, to } of edits.toReversed()) {
    text = text.slice(0, token.from) + to + text.slice(token.from + token.text.length);
  }
  const changes = edits.map(({ token, to }) => ({
    line: lineOf(source, token.from),
    from: token.text,
    to,
  }));
  return { text, changes, left };
}

function indexCall(path: string): string {
  const [root = '', ...fields] = path.split('.');
  const first = fields.findIndex((field) => field.includes('-'));
  const base = [root, ...fields.slice(0, first)].join('.');
  const keys = fields.slice(first).map((field) => `"${field}"`);
  return `index ${base === '' ? '.' : base} ${keys.join(' ')}`;
}

function isOperandEnd({ kind, text }: Token): boolean {
  return kind !== 'mark' || text === ')';
}

function lineOf(source: string, offset: number): number {
  return source.slice(0, offset).split('\n').length;
}
