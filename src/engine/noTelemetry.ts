/**
 * Nothing leaves the editor. ONNX Runtime would report to its makers, and keep a number for this machine, unless it finds
 * this in the environment before it is loaded (on Windows, the system's own privacy settings rule). Imported first by
 * every process that may load it.
 */
process.env['ORT_DISABLE_TELEMETRY'] = '1';
