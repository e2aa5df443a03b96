/** A program that we started ends when we do, however that is: nobody else would end it. */
import type { ChildProcess } from 'node:child_process';

const running = new Set<ChildProcess>();

export function endWithUs(child: ChildProcess): void {
  if (running.size === 0) process.on('exit', endAll);
  running.add(child);
  child.once('exit', () => {
    running.delete(child);
    if (running.size === 0) process.off('exit', endAll);
  });
}

function endAll(): void {
  for (const child of running) child.kill('SIGKILL');
}
