/** Prints the SHA-256 of the 10 bytes in the file named, and leaves its pool and threads open. */
import { HashingPool } from '../../src/hashing/pool.ts';

const pool = new HashingPool();
pool.warm();
const { sha256 } = await pool.hashFile(process.argv[2]!, { size: 10, whole: true });
process.stdout.write(sha256);
