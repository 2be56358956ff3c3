/** An environment of a repository. */
export interface Place {
  repository: string;
  environment: string;
}

/** Reads `environment` of the own repository, or `repository/environment`. */
export function parsePlace(text: string, own: string): Place {
  const [first = '', ...rest] = text.split('/');
  if (rest.length === 0) return { repository: own, environment: first };
  return { repository: first, environment: rest.join('/') };
}
