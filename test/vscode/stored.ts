import type { Page } from 'playwright-core';
import { eventually } from '../support/eventually';

/**
 * Waits until what VS Code has stored is as it is to be found after a reload. In a browser it stores its state every few
 * seconds, since a page that is closed has no time for it.
 */
export async function untilStored(page: Page, what: string, holds: (texts: readonly string[]) => boolean): Promise<void> {
  await eventually(`${what} to be stored`, async () => (holds(await page.evaluate(storedTexts)) ? true : undefined), 60_000);
}

/** Runs in the page: the texts in all of VS Code's databases. */
async function storedTexts(): Promise<readonly string[]> {
  const answered = <T>(request: IDBRequest<T>) => new Promise<T>((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('The database did not answer.'));
  });
  const texts: string[] = [];
  for (const { name } of await indexedDB.databases()) {
    if (!name?.startsWith('vscode-web-state-db')) continue;
    const database = await answered(indexedDB.open(name));
    try {
      for (const store of database.objectStoreNames) {
        const values: readonly unknown[] = await answered(database.transaction(store).objectStore(store).getAll());
        texts.push(...values.filter(value => typeof value === 'string'));
      }
    } finally {
      database.close();
    }
  }
  return texts;
}
