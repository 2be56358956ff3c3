import { isAlias, LineCounter, parseDocument, visit, type Document, type Node } from 'yaml';
import type { YAMLError } from 'yaml';
import { Positions } from './positions.ts';
import type { Problem } from './problems.ts';

export type ReadYaml =
  { ok: true; value: unknown; positions: Positions } | { ok: false; problems: Problem[] };

const CHARACTERS_MAX = 1024 * 1024;
const ALIASES_MAX = 1_000;

/**
 * Reads one YAML 1.2 document without tags, and with aliases that cannot grow without bound.
 *
 * Messages are our own where the library's would repeat the text, which may be a secret.
 */
export function readYaml(text: string, file: string): ReadYaml {
  if (text.length > CHARACTERS_MAX) {
    const message = `is longer than ${CHARACTERS_MAX} characters`;
    return { ok: false, problems: [{ file, line: 1, column: 1, path: '', message }] };
  }
  const lineCounter = new LineCounter();
  const document = parseDocument<Node>(text, {
    lineCounter,
    schema: 'core',
    resolveKnownTags: false,
    stringKeys: true,
    // The pretty ones quote the line.
    prettyErrors: false,
    logLevel: 'error',
  });
  const positions = new Positions(file, document, lineCounter);
  const problem = (offset: number, message: string, fix?: string): Problem => ({
    ...positions.ofOffset(offset),
    path: '',
    message,
    ...(fix === undefined ? {} : { fix }),
  });

  const tooDeep = document.errors.find((error) => error.code === 'RESOURCE_EXHAUSTION');
  if (tooDeep) return { ok: false, problems: [problem(tooDeep.pos[0], 'is nested too deeply')] };
  const broken = upToFirstBreak([...document.errors, ...document.warnings]);
  if (broken.length > 0) {
    const problems = broken.map((error) => problem(error.pos[0], ...explain(error, text)));
    return { ok: false, problems };
  }
  if (document.contents === null) {
    return { ok: false, problems: [problem(0, 'the file is empty', 'start with version: 1')] };
  }
  const aliases = checkAliases(document);
  if (aliases.wrong.length > 0) {
    const problems = aliases.wrong.map(({ offset, message }) => problem(offset, message));
    return { ok: false, problems };
  }
  try {
    return { ok: true, value: document.toJS({ maxAliasCount: ALIASES_MAX }), positions };
  } catch {
    // All that toJS refuses in a document without errors is too many aliases.
    return { ok: false, problems: [problem(aliases.first, 'too many aliases', 'write them out')] };
  }
}

/** After a break in the syntax the reader guesses, and what it finds then only confuses. */
function upToFirstBreak(errors: readonly YAMLError[]): YAMLError[] {
  const harmless = ['DUPLICATE_KEY', 'NON_STRING_KEY', 'TAG_RESOLVE_FAILED'];
  const sorted = errors.toSorted((a, b) => a.pos[0] - b.pos[0]);
  const firstBreak = sorted.findIndex(({ code }) => !harmless.includes(code));
  return firstBreak === -1 ? sorted : sorted.slice(0, firstBreak + 1);
}

function explain(error: YAMLError, text: string): [message: string, fix?: string] {
  switch (error.code) {
    case 'DUPLICATE_KEY': {
      const key = /^[\w.-]{1,100}/.exec(text.slice(error.pos[0], error.pos[0] + 100))?.[0];
      return [key === undefined ? 'duplicate key' : `duplicate key "${key}"`, 'keep one of them'];
    }
    case 'TAB_AS_INDENT':
      return ['a tab indents this line', 'use spaces'];
    case 'MULTIPLE_DOCS':
      return ['a second YAML document starts here', 'keep one document in the file'];
    case 'TAG_RESOLVE_FAILED':
      return ['YAML tags are not supported', 'remove the tag'];
    case 'NON_STRING_KEY':
      return ['a key must be plain text'];
    case 'BAD_SCALAR_START':
      return ['plain text cannot start with @ or `', 'put it in quotes'];
    case 'BLOCK_AS_IMPLICIT_KEY':
      return ['a map cannot start here', 'start a new line, or put text with ": " in quotes'];
    // Their texts are constant.
    case 'BAD_INDENT':
    case 'MISSING_CHAR':
    case 'MULTILINE_IMPLICIT_KEY':
      return [`not valid YAML: ${error.message}`];
    default:
      return ['not valid YAML here'];
  }
}

/** The library says neither where an alias without anchor stands nor that one contains itself. */
function checkAliases(document: Document) {
  const anchors = new Map<string, unknown>();
  const wrong: { offset: number; message: string }[] = [];
  let first: number | undefined;
  visit(document, {
    Node(_key, node, path) {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.set(node.anchor, node);
        return;
      }
      const offset = node.range?.[0] ?? 0;
      first ??= offset;
      const target = anchors.get(node.source);
      if (target === undefined) {
        wrong.push({ offset, message: `no anchor "${node.source}" stands before this alias` });
      } else if (path.includes(target as Node)) {
        wrong.push({ offset, message: `the alias "${node.source}" contains itself` });
      }
    },
  });
  return { wrong, first: first ?? 0 };
}
