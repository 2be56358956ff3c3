import { base64, hex, utf8 } from './bytes.ts';
import { ESCAPES } from './escapes.ts';

/** Shorter values cannot be told from ordinary text; the configuration refuses them as secrets. */
const BYTES_MIN = 8;

// Every certificate and key has them: hiding these lines would hide nothing and blur much.
const PEM_BOUNDARY = /^-----(BEGIN|END) [A-Z0-9 ]+-----$/;

/**
 * Every text by which a secret may show: whole and line by line, as it is and as tools encode it.
 * Values and lines below 8 bytes are left out.
 */
export function formsOf(values: readonly string[]): Set<string> {
  const forms = new Set<string>();
  for (const value of values) {
    for (const part of [value, ...linesOf(value)]) {
      const bytes = utf8(part);
      if (bytes.length < BYTES_MIN) continue;
      for (const form of encodedForms(part, bytes)) forms.add(form);
    }
  }
  return forms;
}

/** The lines of a value with several; indentation differs from one file to the next. */
function linesOf(value: string): string[] {
  const lines = value.split(/\r\n|\n|\r/);
  if (lines.length === 1) return [];
  const trimmed = lines.map((line) => line.trim()).filter((line) => !PEM_BOUNDARY.test(line));
  return [value.trim(), ...trimmed];
}

function* encodedForms(text: string, bytes: readonly number[]): Generator<string> {
  yield text;
  if (text.includes('\n')) yield text.replace(/\r?\n/g, '\r\n');
  for (const escape of ESCAPES) yield escape(text);
  const digits = hex(bytes);
  yield digits;
  yield digits.toUpperCase();
  for (const form of base64Forms(bytes)) {
    yield form;
    yield form.replaceAll('+', '-').replaceAll('/', '_');
  }
}

/**
 * Base64 of a text that holds the value anywhere: the bytes before it decide between three forms. Digits
 * that neighbours share in are certain only where the value is the end of what was encoded.
 */
function* base64Forms(bytes: readonly number[]): Generator<string> {
  for (const offset of [0, 1, 2]) {
    const before = Array<number>(offset).fill(0);
    const digits = base64([...before, ...bytes]);
    const start = offset === 0 ? 0 : offset + 1;
    const isExact = (offset + bytes.length) % 3 === 0;
    yield digits.slice(start, isExact ? undefined : -1);
    if (isExact) continue;
    yield digits.slice(start);
    yield digits.slice(start) + '='.repeat((4 - (digits.length % 4)) % 4);
  }
}
