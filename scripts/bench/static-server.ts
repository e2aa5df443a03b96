/** Serves the files below a folder on a free port, which it prints: `node static-server.ts FOLDER`. */
import { readFile } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

const folder = process.argv[2]!;

const server = createServer((request, response) => {
  readFile(join(folder, request.url!), (error, bytes) => {
    response.writeHead(error ? 404 : 200, { 'content-length': bytes?.length ?? 0 });
    response.end(bytes);
  });
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
