import { defineSearchAttributeKey } from '@temporalio/common';
import { SEARCH_ATTRIBUTES } from '../../contract/workflow/search-attributes.ts';
import type { ReleaseInput } from '../../contract/workflow/payloads.ts';

const keyword = (name: string) => defineSearchAttributeKey(name, 'KEYWORD');

/** The search attributes with which a release starts. */
export function releaseAttributes(input: ReleaseInput) {
  return [
    { key: keyword(SEARCH_ATTRIBUTES.repository), value: input.repository },
    { key: keyword(SEARCH_ATTRIBUTES.commit), value: input.commit },
    { key: keyword(SEARCH_ATTRIBUTES.release), value: input.releaseId },
    { key: keyword(SEARCH_ATTRIBUTES.kind), value: input.kind },
    { key: keyword(SEARCH_ATTRIBUTES.phase), value: 'queued' },
  ];
}
