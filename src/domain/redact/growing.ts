import { createRedactor } from '../redact.ts';

/** A redactor that learns of secrets while it is used. */
export interface GrowingRedactor {
  /** Hides every secret that is known by now. */
  text: (text: string) => string;
  learn: (values: readonly string[]) => void;
}

/** Hides these values, and those that it learns of. */
export function createGrowingRedactor(values: readonly string[]): GrowingRedactor {
  const known = new Set(values);
  let redactor = createRedactor(values);
  return {
    text: (text) => redactor.text(text),
    learn: (more) => {
      const unknown = more.filter((value) => !known.has(value));
      if (unknown.length === 0) return;
      for (const value of unknown) known.add(value);
      redactor = createRedactor([...known]);
    },
  };
}
