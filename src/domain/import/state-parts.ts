import { templateActions } from './template-actions.ts';

export type SplitState =
  | { state: 'fine' }
  | { state: 'split'; text: string }
  /** It must be split, and only a person can: `line` is where, `why` says what is in the way. */
  | { state: 'by-hand'; line: number; why: string };

/** A top-level key of a helmfile with all its lines and the comment above it. */
interface Block {
  key: string;
  line: number;
  text: string;
}

/**
 * Puts `environments` and `releases` of a helmfile into parts of their own, as helmfile 1 demands: it
 * refuses both in one part. Works on the text, so that comments, order and line ends stay.
 *
 * @param source a helmfile, which need not be valid YAML before its templates are evaluated
 */
export function splitState(source: string): SplitState {
  const lines = source.split(/(?<=\n)/);
  const parts: { line: number; lines: string[] }[] = [{ line: 1, lines: [] }];
  lines.forEach((line, at) => {
    if (/^---\s*$/.test(line)) parts.push({ line: at + 2, lines: [line] });
    else parts.at(-1)?.lines.push(line);
  });
  let text = '';
  let changed = false;
  for (const part of parts) {
    const split = splitPart(part.lines, part.line - (part.lines[0]?.startsWith('---') ? 1 : 0));
    if (split.state === 'by-hand') return split;
    changed ||= split.state === 'split';
    text += split.state === 'split' ? split.text : part.lines.join('');
  }
  return changed ? { state: 'split', text } : { state: 'fine' };
}

/** What a helmfile names as its bases and further helmfiles, and in which line. */
export function referredStates(source: string): { line: number; text: string }[] {
  const { blocks } = blocksOf(source.split(/(?<=\n)/), 1);
  return blocks
    .filter(({ key }) => key === 'bases' || key === 'helmfiles')
    .flatMap(({ line, text }) => {
      const above = /^(?:#.*\n)*/.exec(text)?.[0].split('\n').length ?? 1;
      return text.split('\n').flatMap((one, at) => {
        const path = /^\s*-\s+(?:path:\s*)?["']?([^"'#{}[\]:\s]+)["']?\s*(?:#.*)?$/.exec(one)?.[1];
        return path === undefined ? [] : [{ line: line - above + 1 + at, text: path }];
      });
    });
}

function splitPart(lines: readonly string[], firstLine: number): SplitState {
  const { head, blocks } = blocksOf(lines, firstLine);
  const at = blocks.findIndex(({ key }) => key === 'environments');
  const releases = blocks.find(({ key }) => key === 'releases');
  const environments = blocks[at];
  if (!environments || !releases) return { state: 'fine' };
  const byHand = (line: number, why: string): SplitState => ({ state: 'by-hand', line, why });

  const twice = blocks.find(({ key }, at) => blocks.findIndex((one) => one.key === key) < at);
  if (twice) return byHand(twice.line, `${twice.key} stands twice in this one`);

  // As the file stands if possible; else what the environments need moves up.
  const above = blocks.slice(0, at + 1);
  const asItStands = above.every(({ key, text }) => key !== 'releases' && !usesValues(text));
  const first = asItStands ? above : neededBy(environments, blocks);
  const second = blocks.filter((block) => !first.includes(block));
  const open = first.find(({ text }) => !isBalanced(text));
  if (open) return byHand(open.line, 'a template action spans both parts');
  if (first.some(({ key }) => key === 'releases')) {
    return byHand(environments.line, 'environments and releases share an anchor');
  }
  const shared = first.flatMap(({ text }) => anchorsOf(text));
  const user = second.find(({ text }) => aliasesOf(text).some((alias) => shared.includes(alias)));
  if (user) return byHand(user.line, `${user.key} uses an anchor of the other part`);

  const lineEnd = lines.some((line) => line.endsWith('\r\n')) ? '\r\n' : '\n';
  const upper = first.map(({ text }) => text).join('');
  const closed = upper.endsWith('\n') ? upper : `${upper}${lineEnd}`;
  const lower = second.map(({ text }) => text).join('');
  return { state: 'split', text: `${head}${closed}---${lineEnd}${lower}` };
}

function blocksOf(lines: readonly string[], firstLine: number) {
  const blocks: Block[] = [];
  let head = '';
  let comment = '';
  lines.forEach((line, at) => {
    const key = /^["']?([A-Za-z][\w-]*)["']?\s*:(?:\s|$)/.exec(line)?.[1];
    if (key !== undefined) {
      blocks.push({ key, line: firstLine + at, text: comment + line });
      comment = '';
    } else if (line.startsWith('#')) {
      comment += line;
    } else {
      const last = blocks.at(-1);
      // A comment that no key follows belongs to what is above it.
      if (last) last.text += comment + line;
      else head += comment + line;
      comment = '';
    }
  });
  const last = blocks.at(-1);
  if (last) last.text += comment;
  else head += comment;
  return { head, blocks };
}

/** The environments, and the blocks whose anchors they use, in the order of the file. */
function neededBy(environments: Block, blocks: readonly Block[]): Block[] {
  const needed = new Set([environments]);
  for (;;) {
    const aliases = [...needed].flatMap(({ text }) => aliasesOf(text));
    const more = blocks.filter(
      (block) =>
        !needed.has(block) && anchorsOf(block.text).some((anchor) => aliases.includes(anchor)),
    );
    if (more.length === 0) return blocks.filter((block) => needed.has(block));
    for (const block of more) needed.add(block);
  }
}

function usesValues(text: string): boolean {
  return templateActions(text).some(({ tokens }) =>
    tokens.some(({ text: token }) =>
      /^\$?\.(Values|StateValues|Environment\.Values)\b/.test(token),
    ),
  );
}

function isBalanced(text: string): boolean {
  let depth = 0;
  for (const { tokens } of templateActions(text)) {
    const word = tokens.find(({ kind }) => kind !== 'space')?.text ?? '';
    if (/^(if|range|with|define|block)$/.test(word)) depth += 1;
    if (word === 'end') depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

function anchorsOf(text: string): string[] {
  return marked(text, /(?:^|[\s[{,])&([^\s\]},]+)/g);
}

function aliasesOf(text: string): string[] {
  return marked(text, /(?:^|[\s[{,])\*([^\s\]},]+)/g);
}

function marked(text: string, pattern: RegExp): string[] {
  return text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .flatMap((line) => [...line.matchAll(pattern)].map(([, name = '']) => name));
}
