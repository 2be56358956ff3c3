import { byKey, isList, isObject, type Json, type JsonObject } from './resource.ts';

/** One line of a printed resource. */
export interface Line {
  text: string;
  /** Tells lines apart whose text is the same because their values are hidden. Holds secrets. */
  identity: string;
  hidden: boolean;
}

/** What a value looks like; undefined hides it. */
type Show = (steps: readonly string[], value: Json) => Json | undefined;

/**
 * Prints a resource as YAML, its keys in the order of {@link byKey}, so that the same content always
 * gives the same lines.
 */
export function printResource(content: JsonObject, show: Show, key: (key: string) => string) {
  const lines: Line[] = [];
  printObject(content, [], '', '');

  return lines;

  function printObject(object: JsonObject, steps: readonly string[], lead: string, indent: string) {
    let start = lead;
    for (const name of Object.keys(object).sort(byKey)) {
      const value = object[name];
      if (value === undefined) continue;
      printBelow(value, [...steps, name], `${start}${scalar(key(name))}:`, indent, false);
      start = indent;
    }
  }

  function printBelow(
    value: Json,
    steps: readonly string[],
    lead: string,
    indent: string,
    inList: boolean,
  ): void {
    const deeper = `${indent}  `;
    if (isObject(value) && Object.keys(value).length > 0) {
      if (!inList) add(lead);
      printObject(value, steps, inList ? `${lead} ` : deeper, deeper);
    } else if (isList(value) && value.length > 0) {
      add(lead);
      const at = inList ? deeper : indent;
      value.forEach((item, index) => {
        printBelow(item, [...steps, String(index)], `${at}-`, at, true);
      });
    } else {
      printScalar(value, steps, lead, deeper);
    }
  }

  function printScalar(value: Json, steps: readonly string[], lead: string, indent: string): void {
    const shown = show(steps, value);
    if (shown === undefined) {
      lines.push({
        text: `${lead} (hidden)`,
        identity: `${lead} ${JSON.stringify(value)}`,
        hidden: true,
      });
    } else if (typeof shown === 'string' && isBlock(shown)) {
      printBlock(shown, lead, indent);
    } else {
      add(`${lead} ${typeof shown === 'string' ? scalar(shown) : JSON.stringify(shown)}`);
    }
  }

  function printBlock(text: string, lead: string, indent: string): void {
    const end = text.endsWith('\n\n') ? '+' : text.endsWith('\n') ? '' : '-';
    add(`${lead} |${end}`);
    const body = text.endsWith('\n') ? text.slice(0, -1) : text;
    for (const line of body.split('\n')) add(line === '' ? '' : `${indent}${line}`);
  }

  function add(text: string): void {
    lines.push({ text, identity: text, hidden: false });
  }
}

/** Written as a block, a text keeps its lines; not where YAML would take it for something else. */
function isBlock(text: string): boolean {
  return (
    text.includes('\n') &&
    /^[^\s]/.test(text) &&
    /^[\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff]*$/.test(text)
  );
}

const PLAIN = /^[A-Za-z/][\w./@:+=-]*(?: [\w./@:+=-]+)*$/;
/** YAML 1.1 reads these, unquoted, as something other than text. */
const RESERVED = /^(y|n|yes|no|on|off|true|false|null)$/i;

function scalar(text: string): string {
  const isPlain =
    PLAIN.test(text) && !/:( |$)/.test(text) && !/ -/.test(text) && !RESERVED.test(text);
  return isPlain ? text : JSON.stringify(text);
}
