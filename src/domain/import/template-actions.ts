/** A piece of the inside of a template action `{{ … }}`. */
export interface Token {
  kind: 'space' | 'text' | 'path' | 'word' | 'mark';
  text: string;
  /** Offset in the source. */
  from: number;
}

/** One action of a Go template, and what it is made of. */
export interface Action {
  /** Offset of `{{`, and behind `}}`. */
  from: number;
  to: number;
  tokens: Token[];
}

// The lexical rules of Go's text/template, with one addition: a hyphen within a name, which Go refuses.
const NAME = String.raw`[\p{L}_][\p{L}\p{N}_]*(?:-[\p{L}\p{N}_]+)*`;
const TOKENS: readonly (readonly [Token['kind'], RegExp])[] = [
  ['space', /\s+|\/\*.*?\*\//suy],
  ['text', /"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)*'/uy],
  ['path', new RegExp(String.raw`(?:\$[\p{L}\p{N}_]*)?(?:\.${NAME})+`, 'uy')],
  ['word', /\$?[\p{L}\p{N}_]+/uy],
  ['mark', /:=|./suy],
];

/** The actions of a template in order; an action that never ends is left out. */
export function templateActions(source: string): Action[] {
  const actions: Action[] = [];
  for (let from = source.indexOf('{{'); from >= 0;) {
    const action = readAction(source, from);
    if (!action) break;
    actions.push(action);
    from = source.indexOf('{{', action.to);
  }
  return actions;
}

function readAction(source: string, from: number): Action | undefined {
  const tokens: Token[] = [];
  // `{{-` and `-}}` trim the text around; the hyphen belongs to the brackets.
  let at = from + (/^\{\{-\s/.test(source.slice(from, from + 4)) ? 3 : 2);
  while (at < source.length) {
    if (source.startsWith('}}', at)) return { from, to: at + 2, tokens };
    if (/^-\}\}/.test(source.slice(at, at + 3)) && tokens.at(-1)?.kind === 'space') {
      return { from, to: at + 3, tokens };
    }
    const token = nextToken(source, at);
    tokens.push(token);
    at += token.text.length;
  }
  return undefined;
}

function nextToken(source: string, from: number): Token {
  for (const [kind, pattern] of TOKENS) {
    pattern.lastIndex = from;
    const text = pattern.exec(source)?.[0];
    if (text !== undefined) return { kind, text, from };
  }
  return { kind: 'mark', text: source.charAt(from), from };
}
