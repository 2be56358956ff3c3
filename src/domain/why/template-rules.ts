import { saidText } from './evidence.ts';
import { besideHelmfile, helmfileTemplate, placeInWords } from './places.ts';
import type { Finding, Rule } from './rule.ts';

/** Rows 1 and 2: what cannot be rendered, and what is missing to render it. */

export const templateError: Rule = ({ said }) => {
  const text = saidText(said);
  const [, helmPlace, helmWords = ''] = /parse error at \(([^)]+)\): (.*)/.exec(text) ?? [];
  const place = helmPlace ?? placeOf(text);
  if (/bad character U\+002D '-'/.test(text)) {
    return broken(
      `${place} cannot be rendered: a name with a hyphen cannot follow a dot in a Go template (bad character U+002D '-'). Write \`index .Values.versions "hocs-audit"\` instead of \`.Values.versions.hocs-audit\`.`,
    );
  }
  if (helmPlace !== undefined) {
    const hint = helmWords === 'unexpected EOF' ? 'an `{{ end }}` is missing: ' : '';
    return broken(`${place} cannot be rendered: ${hint}${helmWords}.`);
  }
  const yaml = /YAML parse error on (\S+?): (.*)/.exec(text);
  if (!yaml) return undefined;
  const [, where = '', words = ''] = yaml;
  const what = words.replace(/^error converting YAML to JSON: (yaml: )?/, '');
  if (what !== words) return broken(`${where} does not render to YAML: ${what}.`);
  const json = words.replace(/^error unmarshaling JSON: (while decoding JSON: )?(json: )?/, '');
  return broken(`${where} does not render to a resource of Kubernetes: ${json}.`);
};

export const valuesMissing: Rule = ({ said }) => {
  const text = saidText(said);
  const variable = /required env var `([^`]+)` is not set/.exec(text);
  if (variable) {
    return missing(`The variable ${variable[1]}, which ${placeOf(text)} requires, is not set.`);
  }
  const required = /execution error at \(([^)]+)\): (.*)/.exec(text);
  if (required) return missing(`${required[2]} (required at ${required[1]}).`);
  const key = /at <([^>]+)>: map has no entry for key "([^"]+)"/.exec(text);
  if (key) return missing(`${key[1]} has no value: ${placeOf(text)} finds no "${key[2]}".`);
  const failed = failedTemplate(text);
  if (failed && /nil pointer|of untyped nil/.test(failed.what)) {
    const { expression, place, through, what } = failed;
    const includer = through === undefined ? '' : `, which ${through} includes`;
    return missing(`${expression} has no value: it is read at ${place}${includer} (${what}).`);
  }
  const file = /values file matching "?([^\s"]+)"? does not exist/.exec(text)?.[1];
  if (file === undefined) return undefined;
  return missing(`The values file "${besideHelmfile(text, file)}" does not exist.`);
};

/** Whatever else a template says when it fails, with the place. */
export const templateFailed: Rule = ({ said }) => {
  const failed = failedTemplate(saidText(said));
  if (!failed) return undefined;
  const { expression, place, through, what } = failed;
  const includer = through === undefined ? '' : ` (included by ${through})`;
  const at = expression === '' ? '' : ` at \`${expression}\``;
  return broken(`${place}${includer} cannot be rendered${at}: ${what}.`);
};

interface FailedTemplate {
  place: string;
  /** The template that includes it, where another one does. */
  through?: string;
  expression: string;
  what: string;
}

function failedTemplate(text: string): FailedTemplate | undefined {
  const found = inSeveralLines(text) ?? inOneLine(text);
  if (!found) return undefined;
  const what = found.what
    .replace(/^error calling \w+: /, '')
    // Helmfile's templates have no names of their own.
    .replaceAll(/stringTemplate:(\d+)/g, 'line $1');
  return what === '' ? undefined : { ...found, what };
}

/** Helm tells each template that includes the next, the innermost last, and then what is wrong. */
function inSeveralLines(text: string): FailedTemplate | undefined {
  const frames = [
    ...text.matchAll(/^(?:.*Error: )?(\S+:\d+:\d+)\nexecuting "[^"]*" at <(.*)>:$/gm),
  ];
  const [outer, last] = [frames[0], frames.at(-1)];
  if (!outer || !last) return undefined;
  const [whole, place = '', expression = ''] = last;
  const after = text.slice(last.index + whole.length).trimStart();
  const what = after.split('\n').find((line) => !/^error calling \w+:$/.test(line)) ?? '';
  return {
    ...{ place, expression, what: what.replace(/^template: /, '') },
    ...(outer === last ? {} : { through: outer[1] ?? '' }),
  };
}

function inOneLine(text: string): FailedTemplate | undefined {
  const start = [...text.matchAll(/template: (?=\S+?:\d+)/g)].at(-1)?.index;
  const found = /^template: (\S+?:\d+)(?::\d+)?: (?:executing "[^"]*" at <(.*?)>: )?(.*)/.exec(
    text.slice(start ?? text.length),
  );
  if (!found) return undefined;
  const [, named = '', expression = '', what = ''] = found;
  const helmfile = helmfileTemplate(text);
  return { place: helmfile ? placeInWords(helmfile) : named, expression, what };
}

function placeOf(text: string): string {
  const place = helmfileTemplate(text);
  return place ? placeInWords(place) : 'A template';
}

function broken(sentence: string): Finding {
  return { code: 'template-error', sentence };
}

function missing(sentence: string): Finding {
  return { code: 'values-missing', sentence };
}
