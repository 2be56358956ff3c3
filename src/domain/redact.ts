/** Shorter values cannot be told from ordinary text; the configuration refuses them as secrets. */
const LENGTH_MIN = 8;
const MASK = '‹masked›';

/**
 * Makes a function that hides known secret values in text, also as base64, URL- and JSON-encoded forms
 * would show them, and each line of a value with several lines.
 *
 * @param encode makes the encoded forms of a value; base64 needs a platform that the domain does not know
 */
export function createRedactor(
  values: readonly string[],
  encode: (value: string) => readonly string[] = () => [],
): (text: string) => string {
  const forms = new Set<string>();
  for (const value of values) {
    for (const part of [value, ...value.split(/\r?\n/)]) {
      for (const form of [part, encodeURIComponent(part), JSON.stringify(part).slice(1, -1)]) {
        forms.add(form);
      }
      for (const form of encode(part)) forms.add(form);
    }
  }
  const usable = [...forms].filter((form) => form.length >= LENGTH_MIN);
  if (usable.length === 0) return (text) => text;
  // Longest first, so that a value that contains another is hidden whole.
  usable.sort((a, b) => b.length - a.length);
  const pattern = new RegExp(usable.map(escapePattern).join('|'), 'g');
  return (text) => text.replace(pattern, MASK);
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
