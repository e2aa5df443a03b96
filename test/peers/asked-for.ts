/**
 * Peers that take many minutes to build, or whose programs come from a third hand, are run where
 * somebody asks for them by name:
 *
 *     WEIGHHOUSE_PEERS=cosign,ollama,llama.cpp npm run test:peers -- verify-elsewhere ollama llama
 */
export function isAskedFor(peer: 'cosign' | 'ollama' | 'llama.cpp'): boolean {
  return (process.env.WEIGHHOUSE_PEERS ?? '').split(',').includes(peer);
}
