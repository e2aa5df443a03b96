/** Hashes pieces of files beside the page (`files/hashing-workers.ts` asks). */
import { answerTo, type HashJob } from './files/hash-job.ts';

addEventListener('message', async ({ data }: MessageEvent<HashJob>) => {
  postMessage(await answerTo(data, crypto.subtle));
});
