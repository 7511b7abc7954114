import { createScanner } from 'jsonc-parser';

/** Parsers call themselves for each level, so that a file of brackets alone outgrows their stack. */
export const nestingLimit = 100;

/** How many objects and arrays of a JSON text lie in one another. To be asked before the text is parsed. */
export function nestingOf(text: string): number {
  const scanner = createScanner(text, true);
  let [depth, deepest] = [0, 0];
  for (scanner.scan(); scanner.getTokenLength() > 0; scanner.scan()) {
    // A text such as "[" has its quotes in its length.
    const token = scanner.getTokenLength() === 1 ? text[scanner.getTokenOffset()] : '';
    if (token === '{' || token === '[') deepest = Math.max(deepest, ++depth);
    else if (token === '}' || token === ']') depth--;
  }
  return deepest;
}
