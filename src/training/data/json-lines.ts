import { FormatError } from '../../tensor/index.js';

/** Values of a file with one JSON object a line; `about` names the file in messages. */
export function parseJsonLines(about: string, text: string): Record<string, unknown>[] {
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      throw new FormatError(about, `line ${i + 1} is no JSON: ${(cause as Error).message}`);
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new FormatError(about, `line ${i + 1} is no JSON object`);
    }
    return [value as Record<string, unknown>];
  });
}
