/** What the page's placeholders stand for. */
export interface PageValues {
  readonly nonce: string;
  readonly cspSource: string;
  readonly script: string;
  readonly style: string;
  /** Which panel it is. */
  readonly panel: string;
}

/** Fills in the page's template. Throws for a placeholder without a value: the page and this file must agree. */
export function fillPage(template: string, values: PageValues): string {
  const known = new Map<string, string>(Object.entries(values));
  return template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = known.get(name);
    if (value === undefined) throw new Error(`The page has a placeholder "${name}" that nothing fills.`);
    return value;
  });
}
