import type { Config } from './config.ts';
import { formatProblem, inOrder, type Problem } from './problems.ts';
import { checkRules } from './rules.ts';
import { checkSchema } from './schema-problems.ts';
import type { RawConfig } from './schema.ts';
import { toConfig } from './valid.ts';
import { readYaml } from './yaml.ts';

export type ParsedConfig = { ok: true; config: Config } | { ok: false; problems: Problem[] };

const PROBLEMS_MAX = 50;
// Each costs a search for its place, so that a hopeless file is not searched for ever.
const FINDINGS_MAX = 1_000;

/**
 * Reads the text of slipway.yaml: a valid configuration, or its problems from top to bottom.
 * Reads no other file and no secret.
 *
 * @param fileName what messages call the file
 */
export function parseConfig(text: string, fileName: string): ParsedConfig {
  const yaml = readYaml(text, fileName);
  if (!yaml.ok) return { ok: false, problems: firstInOrder(yaml.problems) };
  const findings = [...checkSchema(yaml.value), ...checkRules(yaml.value)];
  if (findings.length > 0) {
    const problems = findings
      .slice(0, FINDINGS_MAX)
      .map((finding) => yaml.positions.locate(finding));
    return { ok: false, problems: firstInOrder(problems) };
  }
  return { ok: true, config: toConfig(yaml.value as RawConfig, fileName, yaml.positions) };
}

function firstInOrder(problems: readonly Problem[]): Problem[] {
  // One mistake may be found twice: by two keywords, or through an alias.
  const unique = new Map(problems.map((problem) => [formatProblem(problem), problem]));
  return inOrder([...unique.values()]).slice(0, PROBLEMS_MAX);
}
