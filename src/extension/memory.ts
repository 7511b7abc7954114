/** What outlives a window: the part of VS Code's workspace state that is used here. What is read back is to be checked. */
export interface Memory {
  get(key: string): unknown;
  update(key: string, value: unknown): void;
}
