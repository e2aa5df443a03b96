/** A hashing thread that goes under as soon as it gets work. */
import { parentPort } from 'node:worker_threads';

parentPort.on('message', () => process.exit(7));
