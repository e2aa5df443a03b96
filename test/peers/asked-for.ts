/**
 * Peers that take many minutes to build are run where somebody asks for them by name:
 *
 *     WEIGHHOUSE_PEERS=cosign,ollama npm run test:peers -- verify-elsewhere ollama
 */
export function isAskedFor(peer: 'cosign' | 'ollama'): boolean {
  return (process.env.WEIGHHOUSE_PEERS ?? '').split(',').includes(peer);
}
