import { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../contract/workflow/search-attributes.ts';

/** Of Temporal's API: `temporal.api.enums.v1.IndexedValueType`. */
const KEYWORD = 2;

/**
 * Registers the search attributes that Slipway starts its workflows with, where they are missing, and
 * names those that it added. Without them Temporal refuses every start.
 */
export async function ensureSearchAttributes(options: {
  address: string;
  namespace: string;
}): Promise<string[]> {
  const connection = await Connection.connect({ address: options.address });
  try {
    const { namespace } = options;
    const { customAttributes } = await connection.operatorService.listSearchAttributes({
      namespace,
    });
    const missing = Object.values(SEARCH_ATTRIBUTES).filter((name) => !(name in customAttributes));
    if (missing.length > 0) {
      await connection.operatorService.addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])),
      });
    }
    return missing;
  } finally {
    await connection.close();
  }
}
