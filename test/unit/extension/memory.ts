import type { Memory } from '../../../src/extension/memory';

/** A memory that keeps what can be written as JSON, as VS Code's does. */
export function memory(kept: Readonly<Record<string, unknown>> = {}): Memory {
  const texts = new Map(Object.entries(kept).map(([key, value]) => [key, JSON.stringify(value)]));
  return {
    get: key => {
      const text = texts.get(key);
      return text === undefined ? undefined : JSON.parse(text);
    },
    update: (key, value) => void texts.set(key, JSON.stringify(value)),
  };
}
