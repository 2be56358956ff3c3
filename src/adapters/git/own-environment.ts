/** The environment of a git that works for the person at the terminal, with their own configuration. */
export function ownEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    // A hook of git hands down which repository it is in, which is not the one meant here.
    const another = /^GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|PREFIX|COMMON_DIR)$/.test(
      name,
    );
    if (value !== undefined && !another) env[name] = value;
  }
  return { ...env, GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' };
}

/** Remotes may carry a password, and git repeats them. */
export function withoutPassword(text: string): string {
  return text.replaceAll(/(\w+:\/\/)[^@/\s]*@/g, '$1');
}
