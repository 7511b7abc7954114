/** Text for a terminal, which a name from a file must not steer: control characters, but for the end of a line, become a sign. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, '\ufffd');
}
