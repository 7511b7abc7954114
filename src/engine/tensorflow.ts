/** The folder into which the editor has set up TensorFlow, as an option of runtimes; it comes through the environment. */
export function tensorflowSetUp(): { readonly tensorflowFolder?: string } {
  const folder = process.env['CIRCUITS_TENSORFLOW'];
  return folder === undefined || folder === '' ? {} : { tensorflowFolder: folder };
}
