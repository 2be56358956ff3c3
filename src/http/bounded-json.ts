import { Refusal } from '../domain/errors.ts';

const DEPTH_MAX = 64;

/** Parses a body whose sender is known; refuses what is nested deeper than any event is. */
export function parseBounded(body: Buffer): unknown {
  if (isDeeper(body, DEPTH_MAX)) throw new Refusal('malformed', 'The body is nested too deeply.');
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    // The parser's message quotes the body.
    throw new Refusal('malformed', 'The body is not JSON.');
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** In UTF-8 no byte of a longer character looks like one of these. */
function isDeeper(body: Buffer, depthMax: number): boolean {
  let depth = 0;
  let quoted = false;
  for (let index = 0; index < body.length; index += 1) {
    const byte = body[index];
    if (quoted) {
      if (byte === BACKSLASH) index += 1;
      else if (byte === QUOTE) quoted = false;
    } else if (byte === QUOTE) quoted = true;
    else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      if (depth > depthMax) return true;
    } else if (byte === 0x5d || byte === 0x7d) depth -= 1;
  }
  return false;
}
