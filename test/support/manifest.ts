import manifest from '../../package.json';
import words from '../../package.nls.json';

export { words };

/** The manifest as VS Code reads it: with the words of package.nls.json in place of their keys. */
export const readableManifest = withWords(manifest) as typeof manifest;

function withWords(value: unknown): unknown {
  if (typeof value === 'string') {
    const [, key] = /^%(.+)%$/.exec(value) ?? [];
    return key !== undefined && Object.hasOwn(words, key) ? words[key as keyof typeof words] : value;
  }
  if (Array.isArray(value)) return value.map(withWords);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withWords(inner)]));
}
