import { defineSearchAttributeKey } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { SEARCH_ATTRIBUTES } from '../src/contract/workflow/search-attributes.ts';

const keyword = (name: string) => defineSearchAttributeKey(name, 'KEYWORD');
const KEYS = {
  repository: keyword(SEARCH_ATTRIBUTES.repository),
  environment: keyword(SEARCH_ATTRIBUTES.environment),
  commit: keyword(SEARCH_ATTRIBUTES.commit),
  phase: keyword(SEARCH_ATTRIBUTES.phase),
  kind: keyword(SEARCH_ATTRIBUTES.kind),
  release: keyword(SEARCH_ATTRIBUTES.release),
};

export type Attributes = Partial<Record<keyof typeof KEYS, string>>;

/** Search attributes as Temporal's calls take them. */
export function searchAttributes(attributes: Attributes) {
  return Object.entries(attributes).map(([name, value]) => ({
    key: KEYS[name as keyof typeof KEYS],
    value,
  }));
}

/** Shows the phase in lists and what happens now on the workflow's page in Temporal's UI. */
export function tellUi(phase: string, details: string): void {
  upsertSearchAttributes(searchAttributes({ phase }));
  setCurrentDetails(details);
}
