import { plainView } from './redact/ansi.ts';
import { formsOf } from './redact/forms.ts';
import { Matcher, type Span } from './redact/matcher.ts';

const MASK = '‹masked›';

export interface Redactor {
  /** Hides every known secret of a whole text. */
  text: (text: string) => string;
  /** Hides them in a text that comes in chunks: the result is that of `text` on all of it. */
  stream: () => RedactingStream;
}

interface RedactingStream {
  /** What can be shown by now; the beginning of what may become a secret is held back. */
  write: (chunk: string) => string;
  /** What was held back. */
  end: () => string;
}

/**
 * Hides known secret values by value: as they are, in the forms that tools encode them to, and each
 * line of a value with several, also where terminal sequences stand between their letters. Whatever is
 * no secret stays as it is, and hiding twice changes nothing more. What stands inside a hidden secret
 * (a colour, say) is hidden with it.
 */
export function createRedactor(values: readonly string[]): Redactor {
  const forms = [...formsOf(values)].filter((form) => !MASK.includes(form));
  if (forms.length === 0) {
    return { text: same, stream: () => ({ write: same, end: () => '' }) };
  }
  const matcher = new Matcher(forms);
  const stream = () => {
    let state: State = { text: '', hidden: 0 };
    const go = (chunk: string, isLast: boolean): string => {
      const { output, rest } = redact(matcher, { ...state, text: state.text + chunk }, isLast);
      state = rest;
      return output;
    };
    return { write: (chunk: string) => go(chunk, false), end: () => go('', true) };
  };
  return { text: (text) => redact(matcher, { text, hidden: 0 }, true).output, stream };
}

/** What a stream holds back: a text, of which a mask already shown covers the first units. */
interface State {
  text: string;
  hidden: number;
}

function redact(
  matcher: Matcher,
  { text, hidden }: State,
  isLast: boolean,
): { output: string; rest: State } {
  const { spans, settled } = examine(matcher, text, isLast);
  let output = '';
  let shown = hidden;
  for (const { start, end } of spans) {
    // A match that begins later than this is found again, perhaps longer, with the next chunk.
    if (start >= settled) break;
    if (start >= shown) output += text.slice(shown, start) + MASK;
    // Secrets that overlap share a mask, so that no part of the second shows.
    shown = Math.max(shown, end);
  }
  if (shown < settled) output += text.slice(shown, settled);
  return {
    output,
    rest: { text: text.slice(settled), hidden: Math.max(0, shown - settled) },
  };
}

/** The matches of a text in order, and up to where they do not depend on what follows. */
function examine(matcher: Matcher, text: string, isLast: boolean) {
  const spans = matcher.find(text);
  const view = plainView(text);
  if (!view) return { spans, settled: isLast ? text.length : matcher.openEnd(text) };
  // Both readings count: a sequence may part a secret, and may also hold one, such as a link's target.
  const unseen = matcher.find(view.plain).map(({ start, end }): Span => {
    return { start: view.originalIndex(start), end: view.originalIndex(end - 1) + 1 };
  });
  const all = [...spans, ...unseen].sort((a, b) => a.start - b.start);
  if (isLast) return { spans: all, settled: text.length };
  const open = Math.min(matcher.openEnd(text), view.originalIndex(matcher.openEnd(view.plain)));
  return { spans: all, settled: view.cutBefore(open) };
}

function same(text: string): string {
  return text;
}
