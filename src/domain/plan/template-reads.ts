import { cutActions, namesUsed, TEXT } from './template-actions.ts';
import { isAlike } from './template-stability.ts';

/** What a template may read of its environment. */
export interface TemplateReads {
  /** Paths in the environment's values, such as `versions`, `api`. */
  values: string[][];
  variables: string[];
  /** Where it does not name what it reads, it may be anything. */
  anything: boolean;
  /** What makes it depend on more than its environment. */
  notUnderstood?: string;
}

const VARIABLE = /\b(?:env|requiredEnv)\s+"([^"\\]*)"/g;
const INDEXED = /\bindex\s+\$?\.Values((?:\.\w+)*)((?:\s+"[^"\\]*")+)/g;
const NAMED = /\$?\.Values((?:\.\w+)+)/g;
/** Reads what nobody named: all values, a text that is a template itself, a variable by a made-up name. */
const UNNAMED = /Values|\b(?:tpl|include|template|env|requiredEnv|expandenv)\b/;
/** Everything there is, and a field of it: by the dollar anywhere, by the dot where nothing rebinds it. */
const ALL = /\$(?![\w.])/;
const ALL_BY_DOT = /(?<![\w$).])\.(?!\w)/;
const FIELD = /\$\.([\w.]+)/g;
const FIELD_BY_DOT = /(?<![\w$)])\.([A-Za-z_][\w.]*)/g;
/** Fields that say nothing which the release's own entry does not say. */
const OWN = /^(?:Release|Namespace|KubeContext|Chart|Environment\.(?:Name|KubeContext))\b/;
/** Functions that give their answer in any order, but read nothing. */
const ANY_ORDER = new Set(['keys', 'values']);

/** Reads which values and variables the text of a template names. */
export function readsOf(template: string): TemplateReads {
  const actions = cutActions(template);
  if (!actions) {
    const notUnderstood = 'hides where its actions end';
    return { values: [], variables: [], anything: true, notUnderstood };
  }
  const reads: TemplateReads = { values: [], variables: [], anything: false };
  const scopes = new Scopes();
  for (const action of actions) {
    const keyword = scopes.leave(action.code);
    const rest = action.text
      .replaceAll(VARIABLE, (_all, name: string) => {
        reads.variables.push(name);
        return ' ';
      })
      .replaceAll(INDEXED, (_all, path: string, keys: string) => {
        const texts = Array.from(keys.matchAll(/"([^"]*)"/g), ([, key = '']) => key);
        reads.values.push([...namesIn(path), ...texts]);
        return ' ';
      })
      .replaceAll(NAMED, (_all, path: string) => {
        reads.values.push(namesIn(path));
        return ' ';
      })
      .replaceAll(TEXT, ' ');
    if (UNNAMED.test(rest) || readsAll(rest, scopes.isDotAll)) reads.anything = true;
    const strange = namesUsed(action).find((name) => !isAlike(name) && !ANY_ORDER.has(name));
    if (strange !== undefined) reads.notUnderstood ??= `uses ${strange}`;
    scopes.enter(keyword);
  }
  return reads;
}

function readsAll(code: string, isDotAll: boolean): boolean {
  if (ALL.test(code) || (isDotAll && ALL_BY_DOT.test(code))) return true;
  const fields = [...code.matchAll(FIELD), ...(isDotAll ? code.matchAll(FIELD_BY_DOT) : [])];
  return fields.some(([, field = '']) => !OWN.test(field));
}

type Keyword = { opens: 'same' | 'other' } | undefined;

/** The blocks around a place of a template: in some of them the dot is something else. */
class Scopes {
  readonly #open: ('same' | 'other')[] = [];

  /** Whether the dot is everything that the template was given. */
  get isDotAll(): boolean {
    return !this.#open.includes('other');
  }

  /** What an action reads, it reads outside of the block that it opens and of the one that it ends. */
  leave(code: string): Keyword {
    const [, ends, opens] = /^\s*(end|else)?\s*(if|range|with|block|define)?\b/.exec(code) ?? [];
    if (ends !== undefined) this.#open.pop();
    if (opens === undefined) return ends === 'else' ? { opens: 'same' } : undefined;
    return { opens: opens === 'if' ? 'same' : 'other' };
  }

  enter(keyword: Keyword): void {
    if (keyword) this.#open.push(keyword.opens);
  }
}

function namesIn(path: string): string[] {
  return path.split('.').filter((name) => name !== '');
}
