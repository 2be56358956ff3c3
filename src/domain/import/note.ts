import { groupBy } from '../group-by.ts';

/** In the order in which people read them; what is worth knowing works, and may surprise. */
const KINDS = [
  'wrong already',
  'to do',
  'not carried over',
  'behaves differently',
  'worth knowing',
] as const;

/** Something about a repository that a person should know, and where it stands. */
export interface Note {
  kind: (typeof KINDS)[number];
  /** Within the repository. */
  file: string;
  /** Counted from 1; 0 for the whole file. */
  line: number;
  text: string;
  /** Where it is so; absent for what concerns the repository. */
  environments?: readonly string[];
}

/** The note in one line, as compilers write it. */
export function noteInWords({ file, line, text, environments = [] }: Note): string {
  const where = environments.length === 0 ? '' : ` (${environments.join(', ')})`;
  return `${file}${line > 0 ? `:${line}` : ''}: ${text}${where}`;
}

/** All notes below a heading for each kind. */
export function notesInWords(notes: readonly Note[]): string[] {
  const byKind = groupBy(joinNotes(notes), ({ kind }) => kind);
  return [...byKind].flatMap(([kind, own]) => {
    const heading = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}:`;
    return ['', heading, ...own.map((note) => `  ${noteInWords(note)}`)];
  });
}

/** One note for what is the same in several environments, the most pressing first. */
export function joinNotes(notes: readonly Note[]): Note[] {
  const same = groupBy(notes, ({ kind, file, line, text }) =>
    JSON.stringify([kind, file, line, text]),
  );
  const joined = [...same.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const environments = [...new Set(group.flatMap((note) => note.environments ?? []))];
    return [{ ...first, ...(environments.length === 0 ? {} : { environments }) }];
  });
  return joined.toSorted((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
}
