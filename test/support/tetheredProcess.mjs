// Runs a command that must not outlive whoever started this: `fork`ed with the command as its arguments, it puts the
// command in a process group of its own and ends the whole group when the channel to its parent closes. That happens on
// `disconnect()` and equally when the parent crashes, is interrupted or is killed.
import { spawn } from 'node:child_process';
import process from 'node:process';

const millisecondsToEnd = 3000;

const [command, ...parameters] = process.argv.slice(2);
if (command === undefined || process.send === undefined) throw new Error('Fork this with a command to run.');

const child = spawn(command, parameters, { detached: true, stdio: ['ignore', 'inherit', 'inherit'] });
const group = child.pid;
let ending = false;

child.on('error', (error) => {
  console.error(error.message);
  process.exit(127);
});
child.on('exit', (code) => {
  if (!ending) signalGroup('SIGKILL');
  else if (groupIsAlive()) return;
  process.exit(code ?? 1);
});
process.on('disconnect', endGroup);
// An interrupt at the terminal reaches this process too; the parent decides what it means.
process.on('SIGINT', () => {});
process.on('SIGTERM', endGroup);
process.on('SIGHUP', endGroup);

function endGroup() {
  if (ending) return;
  ending = true;
  signalGroup('SIGTERM');
  const started = Date.now();
  const poll = setInterval(() => {
    if (groupIsAlive() && Date.now() - started < millisecondsToEnd) return;
    clearInterval(poll);
    signalGroup('SIGKILL');
    process.exit(0);
  }, 50);
}

/** @param {NodeJS.Signals | 0} signal */
function signalGroup(signal) {
  if (group === undefined) return false;
  try {
    return process.kill(-group, signal);
  } catch {
    return false; // nobody is left in it
  }
}

function groupIsAlive() {
  return signalGroup(0);
}
