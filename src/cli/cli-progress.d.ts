/** What this program uses of cli-progress, which comes without types. */
declare module 'cli-progress' {
  export interface BarOptions {
    readonly format: string;
    readonly stream?: NodeJS.WritableStream;
    readonly barsize?: number;
    readonly barCompleteChar?: string;
    readonly barIncompleteChar?: string;
    readonly hideCursor?: boolean;
    readonly clearOnComplete?: boolean;
    readonly fps?: number;
  }

  export class SingleBar {
    constructor(options: BarOptions);
    start(total: number, value: number, payload?: Readonly<Record<string, string | number>>): void;
    update(value: number, payload?: Readonly<Record<string, string | number>>): void;
    setTotal(total: number): void;
    stop(): void;
  }
}
