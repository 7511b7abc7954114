/** The folder into which the editor has set up TensorFlow; it hands its name on through the environment. */
export function tensorflowFolder(): string | undefined {
  return process.env['CIRCUITS_TENSORFLOW'] || undefined;
}
