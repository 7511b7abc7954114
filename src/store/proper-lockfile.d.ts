/** The part of proper-lockfile that is used here; the package brings no types. */
declare module 'proper-lockfile' {
  interface LockOptions {
    /** Milliseconds without a heartbeat after which a lock counts as left behind. */
    readonly stale?: number;
    /** Milliseconds between heartbeats. */
    readonly update?: number;
    /** Whether the file must exist, and links to it be followed. */
    readonly realpath?: boolean;
    readonly onCompromised?: (error: Error) => void;
  }
  const lockfile: {
    /**
     * Makes the folder `<file>.lock`; the answer removes it. Rejects with the code ELOCKED when it is somebody else's.
     */
    lock(file: string, options: LockOptions): Promise<() => Promise<void>>;
    unlockSync(file: string, options: LockOptions): void;
    check(file: string, options: LockOptions): Promise<boolean>;
  };
  export default lockfile;
}
