/** A server as its clients see it: is it ready, does it know its own address, is it this registry? */

import { formatVerifierKey } from '../../core/note/key.ts';
import { presentLogKey } from '../../core/trust/periods.ts';
import type { TrustRoot } from '../../core/trust/succession.ts';
import { type Finding, failed, ok, warning } from './finding.ts';

/** What a server answers to those who ask. */
export interface ServerAnswers {
  readonly ready: { readonly status: number; readonly text: string };
  readonly config: { readonly origin: string; readonly url: string; readonly vkey: string };
}

/** `ask` gets the answers of the server at `url`. */
export async function checkServer(
  url: string,
  root: TrustRoot,
  ask: (url: string) => Promise<ServerAnswers>,
): Promise<readonly Finding[]> {
  const { ready, config } = await ask(url);
  return [describeReady(ready), describeAddress(url, config.url), describeIdentity(root, config)];
}

function describeReady({ status, text }: ServerAnswers['ready']): Finding {
  const says = text.trim();
  if (status === 200) return ok('server', says);
  return failed(
    'server',
    `it is not ready: ${says}`,
    'do what the sentence says; the server’s log says more',
  );
}

function describeAddress(asked: string, told: string): Finding {
  const plain = (text: string) => text.replace(/\/+$/, '');
  const { protocol, hostname } = new URL(told);
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  if (plain(asked) !== plain(told)) {
    const says = `the server tells clients that it is at ${told}, and you reach it at ${asked}`;
    return warning('address', says, `serve with --public-url ${plain(asked)}, if clients use that`);
  }
  if (protocol === 'http:' && !isLocal) {
    const says = `clients reach it at ${told}, without TLS: tokens can be read on the way`;
    return failed(
      'address',
      says,
      'put a TLS-terminating proxy before it, and serve with its --public-url',
    );
  }
  return ok('address', `clients are told the address at which it answers, ${told}`);
}

function describeIdentity(root: TrustRoot, { origin, vkey }: ServerAnswers['config']): Finding {
  const ours = formatVerifierKey(presentLogKey(root));
  if (origin === root.origin && vkey === ours) {
    return ok('identity', `the server signs for ${origin}, with the log key of this store`);
  }
  const says = `the server is ${origin} with the log key ${vkey}; the store is ${root.origin} with ${ours}`;
  return failed(
    'identity',
    says,
    'name the address of this store’s server, or restart it on this store',
  );
}
