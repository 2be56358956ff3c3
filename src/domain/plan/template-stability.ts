import { cutActions, namesUsed, TEXT } from './template-actions.ts';

/**
 * Whether a file of a deployment repository is sure to evaluate alike each time, whatever helmfile does
 * with it: no time, nothing random, nothing from outside. What is not understood counts as unsure.
 */
export function evaluatesAlike(text: string): boolean {
  if (FROM_OUTSIDE.test(text)) return false;
  const actions = cutActions(text);
  if (!actions) return false;
  // Evaluated once more, a brace in a text may open another action.
  const texts = actions.flatMap((action) => action.text.match(TEXT) ?? []);
  if (texts.some((one) => /[{}]/.test(one))) return false;
  return actions.flatMap(namesUsed).every(isAlike);
}

// Encrypted files come out in another order each time, and references say what their store says now;
// the plus alone because a template may put a reference together.
const FROM_OUTSIDE = /^\s*(?:- +)?["']?secrets["']? *:|ref\+|\+\w+(?::\/\/|["'`])/m;

/** Whether this keyword or function gives the same each time for the same arguments and variables. */
export function isAlike(name: string): boolean {
  return ALIKE.has(name);
}

/**
 * What templates may use and still give the same each time. Not on the list, on purpose: time, random
 * and hashing with salt, `keys` and `values`, which come in any order, `tpl`, which evaluates texts, and
 * whatever reads something that is no file of the commit.
 */
const ALIKE: ReadonlySet<string> = new Set(
  [
    'if else end range with define template block break continue true false nil include',
    'and or not eq ne lt le gt ge index slice len print printf println',
    'default empty coalesce ternary fail required all any hasKey has dict list get getOrNil set unset',
    'setValueAtPath pluck dig merge mergeOverwrite deepCopy pick omit first rest last initial append',
    'prepend concat reverse uniq without compact tuple',
    'trim trimAll trimSuffix trimPrefix upper lower title untitle repeat substr nospace trunc abbrev',
    'contains hasPrefix hasSuffix quote squote cat indent nindent replace plural snakecase camelcase',
    'kebabcase regexMatch regexFind regexFindAll regexReplaceAll regexReplaceAllLiteral regexSplit',
    'split splitList splitn join sortAlpha toString toStrings atoi int int64 float64 toDecimal',
    'add add1 sub div mod mul max min floor ceil round until untilStep seq',
    'b64enc b64dec b32enc b32dec sha1sum sha256sum adler32sum semver semverCompare',
    'toJson toPrettyJson toRawJson fromJson toYaml fromYaml kindOf kindIs typeOf typeIs',
    'base dir ext clean isAbs urlParse urlJoin env requiredEnv',
  ].flatMap((line) => line.split(' ')),
);
