/** Why one source could not provide a tool; the next source is tried. */
export class SourceFailure extends Error {
  override readonly name = 'SourceFailure';
}

/** The end of what a program printed, where it says why it gave up. */
export function lastLines(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  return lines.slice(-6).join('\n    ') || 'it failed without a word';
}
