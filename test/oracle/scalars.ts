/**
 * Scalars as people write them, with neighbours that one reader of YAML takes for equal and another does
 * not: by quotes, by number format, by version of YAML.
 */
export const SCALARS = [
  ...['no', '"no"', "'no'", 'yes', '"yes"', 'on', '"off"', 'n', '"n"', 'y', 'No', '"NO"', 'Off'],
  ...['true', '"true"', 'True', 'TRUE', 'false', '"false"'],
  ...['1', '"1"', '1.0', '"1.0"', '01', '+1', '3.10', '"3.10"', '3.1', '3.100', '"3.1"', '0', '-0'],
  ...['017', '"017"', '0o17', '15', '0x1F', '31', '0b11', '1_000', '1000', '"1000"'],
  ...['1e3', '"1e3"', '1E+3', '1000000', '1e6', '12345678', '12345678901234567890', '.5', '0.5'],
  ...['12:30:45', '"12:30:45"', '2026-01-01', '"2026-01-01"', '2026-01-01T00:00:00Z'],
  ...['null', '~', '', '"null"', '"~"', '""', '.inf', '.nan', '"<<"', '=', '"="'],
  ...[
    'plain',
    '"plain"',
    "'plain'",
    '"with \\"quotes\\""',
    '"two\\nlines"',
    '"tab\\t"',
    'a#b',
    'a #b',
  ],
  ...[
    '[]',
    '{}',
    '[1, "1"]',
    '[no, "no"]',
    '{ a: no }',
    '{ a: "no" }',
    '{ a: { b: 1 } }',
    '[[1.0]]',
  ],
  ...['"{{ literally }}"', '!!str 1', '!!str no', '!!int "1"', '"1,2"', 'a,b', '"ünï"', '"é"'],
] as const;

/** Texts of variables; templates may put them into YAML without quotes. */
export const TEXTS = [
  ...['example.org', 'example.net', 'no', '"no"', 'yes', '1', '"1"', '3.10', '3.1', '017', '0o17'],
  ...['15', '1_000', '1000', '1e3', '~', '', 'null', '""', 'true', '2026-01-01', '10.0.0.0/8'],
] as const;

/** The same scalar written in another way, or almost the same one. */
export function requoted(scalar: string): string {
  const quoted = /^"([^"\\]*)"$/.exec(scalar)?.[1];
  if (quoted !== undefined) return quoted;
  return /^[^"'[{|>&*!#]*$/.test(scalar) ? `"${scalar}"` : scalar;
}
