import { groupBy } from '../group-by.ts';

/** Something about a repository that a person should know, and where it stands. */
export interface Note {
  kind: 'not carried over' | 'behaves differently' | 'wrong already' | 'to do';
  /** Within the repository. */
  file: string;
  /** Counted from 1; 0 for the whole file. */
  line: number;
  text: string;
}

/** The note in one line, as compilers write it. */
export function noteInWords({ file, line, text }: Note): string {
  return `${file}${line > 0 ? `:${line}` : ''}: ${text}`;
}

/** All notes below a heading for each kind. */
export function notesInWords(notes: readonly Note[]): string[] {
  return [...groupBy(notes, ({ kind }) => kind)].flatMap(([kind, own]) => {
    const heading = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}:`;
    return ['', heading, ...new Set(own.map((note) => `  ${noteInWords(note)}`))];
  });
}
