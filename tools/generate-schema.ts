/** Writes schema/slipway.schema.json, for editors, from the schema that slipway.yaml is checked with. */
import { writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { publishedSchema } from '../src/config/schema.ts';

const file = new URL('../schema/slipway.schema.json', import.meta.url);
const options = await resolveConfig(file);
await writeFile(
  file,
  await format(JSON.stringify(publishedSchema), { ...options, parser: 'json' }),
);
