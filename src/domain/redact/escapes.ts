import { utf8 } from './bytes.ts';

/**
 * How JSON, Go, YAML, XML, URLs and shells write a text between their quotes. Where implementations
 * differ, each known one is here: a secret must not show because somebody escapes `<` and another does not.
 */
export const ESCAPES: readonly ((text: string) => string)[] = [
  json,
  (text) => json(text).replace(/[<>&\u2028\u2029]/g, unicodeEscape), // Go's encoding/json
  (text) => json(text).replace(/[^\0-\x7f]/g, unicodeEscape), // ASCII only
  (text) => json(text).replaceAll('/', '\\/'),
  (text) => goQuoted(text, /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u),
  (text) => goQuoted(text, /[\x20-\x7e]/),
  yamlDoubleQuoted,
  (text) => text.replaceAll("'", "''"), // YAML's single quotes
  (text) => text.replaceAll("'", `'\\''`), // a shell's
  (text) => xml(text, {}),
  (text) => xml(text, { '"': '&quot;', "'": '&apos;' }),
  (text) => xml(text, { '"': '&quot;', "'": '&#39;' }),
  // Go's encoding/xml; html.EscapeString without the white space.
  (text) => xml(text, { '"': '&#34;', "'": '&#39;' }),
  (text) => xml(text, { '"': '&#34;', "'": '&#39;', '\t': '&#x9;', '\n': '&#xA;', '\r': '&#xD;' }),
  ...[
    '', // Go's QueryEscape, but for the space
    "!'()*", // encodeURIComponent
    "!'()*;/?:@&=+$,#", // encodeURI
    '$&+=:@', // Go's PathEscape
    '$&+=:@/;,', // a path in Go's URL.String
    '$&+=;,', // a user or password there
  ].flatMap((kept) => [
    (text: string) => percent(text, kept),
    (text: string) => percent(text, kept).replace(/%../g, (escape) => escape.toLowerCase()),
  ]),
  (text) => percent(text, ' ').replaceAll(' ', '+'),
  (text) =>
    percent(text, ' ')
      .replace(/%../g, (escape) => escape.toLowerCase())
      .replaceAll(' ', '+'),
];

function json(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function unicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

const GO_ESCAPES: Readonly<Record<string, string>> = {
  ...{ '\x07': '\\a', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t' },
  ...{ '\v': '\\v', '\\': '\\\\', '"': '\\"' },
};

/** Go's `%q` and, with an ASCII idea of what can be printed, `%+q`. */
function goQuoted(text: string, printable: RegExp): string {
  return Array.from(text, (rune) => {
    const short = GO_ESCAPES[rune];
    if (short !== undefined) return short;
    if (printable.test(rune)) return rune;
    const code = rune.codePointAt(0) ?? 0;
    if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
    if (code >= 0xd800 && code <= 0xdfff) return '\\ufffd';
    const wide = code > 0xffff;
    return `${wide ? '\\U' : '\\u'}${code.toString(16).padStart(wide ? 8 : 4, '0')}`;
  }).join('');
}

const YAML_ESCAPES: Readonly<Record<string, string>> = {
  ...GO_ESCAPES,
  ...{ '\0': '\\0', '\x1b': '\\e', '\x85': '\\N', '\u2028': '\\L', '\u2029': '\\P' },
};

/** As go-yaml writes it, to which little is not printable. */
function yamlDoubleQuoted(text: string): string {
  return Array.from(text, (rune) => {
    const short = YAML_ESCAPES[rune];
    if (short !== undefined) return short;
    const code = rune.codePointAt(0) ?? 0;
    const digits = code.toString(16).toUpperCase();
    if (code > 0xffff) return `\\U${digits.padStart(8, '0')}`;
    const isControl = code < 0x20 || (code >= 0x7f && code < 0xa0);
    return isControl ? `\\x${digits.padStart(2, '0')}` : rune;
  }).join('');
}

function xml(text: string, more: Readonly<Record<string, string>>): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', ...more };
  return text.replace(/[&<>"'\t\n\r]/g, (unit) => entities[unit] ?? unit);
}

function percent(text: string, kept: string): string {
  return Array.from(text, (rune) => {
    if (/[A-Za-z0-9._~-]/.test(rune) || kept.includes(rune)) return rune;
    return utf8(rune)
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join('');
  }).join('');
}
