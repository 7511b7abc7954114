#!/usr/bin/env node
import process from 'node:process';
import { installationAt } from '../engine/engine';
import { exitCodes } from './output';
import { runProgram } from './program';

const interruption = new AbortController();
process.on('SIGINT', () => {
  // The second time it is meant.
  if (interruption.signal.aborted) process.exit(exitCodes.interrupted);
  interruption.abort();
});
// A reader such as `head` that has seen enough is no mistake.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.done);
  throw error;
});

void runProgram(process.argv.slice(2), { interrupted: interruption.signal, installation: installationAt(__dirname) }, { out: process.stdout, err: process.stderr })
  .then(code => {
    process.exitCode = code;
  });
