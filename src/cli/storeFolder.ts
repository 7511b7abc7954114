import path from 'node:path';

/**
 * Where models are kept when `--store` does not say: `CIRCUITS_STORE`, or the folder that the operating system gives
 * programs for a user's data.
 */
export function defaultStoreFolder(platform: NodeJS.Platform, environment: NodeJS.ProcessEnv, home: string): string {
  const chosen = environment['CIRCUITS_STORE'];
  if (chosen !== undefined && chosen !== '') return path.resolve(chosen);
  return path.join(dataFolder(platform, environment, home), 'circuit-explorer', 'models');
}

function dataFolder(platform: NodeJS.Platform, environment: NodeJS.ProcessEnv, home: string): string {
  if (platform === 'win32') return environment['LOCALAPPDATA'] ?? path.join(home, 'AppData', 'Local');
  if (platform === 'darwin') return path.join(home, 'Library', 'Application Support');
  const folder = environment['XDG_DATA_HOME'];
  // A relative one is to be ignored (XDG Base Directory Specification).
  return folder !== undefined && path.isAbsolute(folder) ? folder : path.join(home, '.local', 'share');
}
