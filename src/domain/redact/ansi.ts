/** A text as a terminal shows it, with the way back to the places in the original. */
export interface PlainView {
  plain: string;
  /** Where a unit of `plain` stands in the original. */
  originalIndex: (plainIndex: number) => number;
  /** The last place up to `index` where a cut of the original splits no sequence. */
  cutBefore: (index: number) => number;
}

// Control sequences (colours), strings for the terminal (titles, links), and short escapes. Bounds
// keep an unfinished sequence from holding back text without end.
const SEQUENCE = new RegExp(
  [
    '(?:\\x1b\\[|\\x9b)[0-?]{0,64}[ -/]{0,8}(?:[@-~]|($))',
    '(?:\\x1b[\\]P^_X]|[\\x9d\\x90])[^\\x07\\x1b\\x9c]{0,1024}(?:\\x07|\\x1b\\\\|\\x9c|(\\x1b?$))',
    '\\x1b[ -/]{0,8}(?:[0-OQ-WYZ\\\\`-~]|($))',
  ].join('|'),
  'g',
);

/** Strips ANSI sequences, also one that the end of the text cuts off; nothing where there are none. */
export function plainView(text: string): PlainView | undefined {
  if (!/[\x1b\x90\x9b\x9d]/.test(text)) return undefined;
  const pieces: { plain: number; original: number; end: number }[] = [];
  let plain = '';
  let from = 0;
  let whole = text.length;
  const add = (end: number) => {
    if (end > from) pieces.push({ plain: plain.length, original: from, end });
    plain += text.slice(from, end);
  };
  for (const sequence of text.matchAll(SEQUENCE)) {
    add(sequence.index);
    from = sequence.index + sequence[0].length;
    const cutOff = sequence[1] ?? sequence[2] ?? sequence[3];
    if (cutOff !== undefined) whole = sequence.index;
  }
  add(text.length);
  return {
    plain,
    originalIndex: (index) => {
      const piece = pieces[lastWhere(pieces, (each) => each.plain <= index)];
      if (!piece || index >= plain.length) return text.length;
      return piece.original + index - piece.plain;
    },
    cutBefore: (index) => {
      if (index >= whole) return whole;
      const piece = pieces[lastWhere(pieces, (each) => each.original <= index)];
      return piece ? Math.min(index, piece.end) : 0;
    },
  };
}

/** The index of the last entry of an ordered list for which the condition still holds, or -1. */
function lastWhere<T>(list: readonly T[], holds: (entry: T) => boolean): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = list[middle];
    if (entry !== undefined && holds(entry)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
