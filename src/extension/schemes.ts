/** Schemes of files that somebody edits. Others are of what was: the older side of a comparison, or a history. */
export const editedSchemes: readonly string[] = ['file', 'untitled', 'vscode-remote', 'vscode-vfs'];
