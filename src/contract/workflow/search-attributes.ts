/** Keyword search attributes, by which people find workflows in Temporal's UI. */
export const SEARCH_ATTRIBUTES = {
  repository: 'SlipRepository',
  environment: 'SlipEnvironment',
  commit: 'SlipCommit',
  phase: 'SlipPhase',
  kind: 'SlipKind',
  release: 'SlipRelease',
} as const;
