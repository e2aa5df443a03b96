/**
 * A link of 1 Gbit/s between this machine and a network of its own on it: two ends of a
 * virtual cable (`ip link … type veth`), one in a network namespace, and a token bucket at
 * ours (`tc … tbf`). It counts every byte of every frame, as a real link does. Takes root.
 */
import { execFileSync } from 'node:child_process';

const NAMESPACE = `weighhouse-${process.pid}`;
const [OURS, THEIRS] = [`wh${process.pid % 100_000}a`, `wh${process.pid % 100_000}b`] as const;

/** Bits a second. */
export const LINK_RATE = 1e9;

export class SlowLink {
  /** Where a server listens that is reached through the link. */
  readonly address = '10.213.77.1';
  /** What to put before a command, so that it sees only the link. */
  readonly inside: readonly string[] = ['ip', 'netns', 'exec', NAMESPACE];

  /** Lays the link; undefined where that is not allowed, or the tools are missing. */
  static lay(): SlowLink | undefined {
    const link = new SlowLink();
    try {
      run('ip', 'netns', 'add', NAMESPACE);
      run('ip', 'link', 'add', OURS, 'type', 'veth', 'peer', 'name', THEIRS, 'netns', NAMESPACE);
      run('ip', 'addr', 'add', `${link.address}/30`, 'dev', OURS);
      run('ip', 'link', 'set', OURS, 'up');
      run(...link.inside, 'ip', 'addr', 'add', '10.213.77.2/30', 'dev', THEIRS);
      run(...link.inside, 'ip', 'link', 'set', THEIRS, 'up');
      const bucket = ['rate', `${LINK_RATE}bit`, 'burst', '256kb', 'latency', '50ms'];
      run('tc', 'qdisc', 'add', 'dev', OURS, 'root', 'tbf', ...bucket);
      return link;
    } catch {
      link.remove();
      return undefined;
    }
  }

  remove(): void {
    try {
      // The cable goes with the end that lies in there.
      run('ip', 'netns', 'del', NAMESPACE);
    } catch {
      // It was never there.
    }
  }
}

function run(...[program, ...args]: string[]): void {
  execFileSync(program!, args, { stdio: 'ignore' });
}
