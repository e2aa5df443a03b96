/**
 * A server shows headers that are not those of the release: other tensors, other metadata, a
 * length that is not theirs. Who looks into a release over the network is not shown them, and
 * what could not be proved is said not to be.
 */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Reader } from '../../src/client/release.ts';
import { utf8 } from '../../src/core/bytes.ts';
import { parseReference } from '../../src/core/release/name.ts';
import type { Inventory } from '../../src/core/weights/inventory.ts';
import { inspectRelease } from '../../src/transfer/inspect-release.ts';
import { pinnedReader } from '../made/reader.ts';
import {
  type AskedRange,
  type Contents,
  ServedRegistry,
  sendRange,
} from '../made/served-registry.ts';
import { publishWeights, SHARDED, SMALL } from '../made/weights.ts';

const ASKED = parseReference('acme/tiny@v1');
const LEVELS: [string, Contents][] = [
  ['header', SMALL],
  ['tensors', SHARDED],
];

let served: ServedRegistry;
let reader: Reader;

beforeEach(async () => {
  served = await ServedRegistry.start();
  reader = await pinnedReader(served);
});
afterEach(() => served.close());

const look = () => inspectRelease(reader, ASKED);
const contentRequests = () => served.requests.filter((path) => path.includes('/files/'));

/** The same bytes with one text in the place of another that is as long. */
function replaced(content: AskedRange, from: string, to: string): AskedRange {
  const bytes = Buffer.from(content.bytes);
  const at = bytes.indexOf(from);
  if (at >= 0) bytes.set(utf8(to), at);
  return { ...content, bytes };
}

/** Answers every request for content with that. */
function answer(forge: (content: AskedRange) => AskedRange): void {
  served.spoil = (_, response, content) => {
    sendRange(response, forge(content));
    return true;
  };
}

describe.each(LEVELS)('checked to "%s", a header', (_, files) => {
  beforeEach(() => publishWeights(served, 'acme/tiny@v1', files));

  const [name] = Object.keys(files).filter((path) => path.endsWith('.safetensors'));
  const tensor = files === SMALL ? 'v' : 'a';

  test('with another tensor is refused once, by the name of its file', async () => {
    answer((content) => replaced(content, `"${tensor}"`, '"x"'));
    await expect(look()).rejects.toMatchObject({
      code: 'digest-mismatch',
      message: expect.stringContaining(name!),
      details: { path: name },
    });
    expect(contentRequests().filter((path) => path.endsWith(name!))).toHaveLength(1);
  });

  test('of another dtype or shape is refused', async () => {
    const [dtype, other] = files === SMALL ? ['F32', 'I32'] : ['U8', 'I8'];
    answer((content) => replaced(content, `"${dtype}"`, `"${other}"`));
    await expect(look()).rejects.toThrowWithCode('digest-mismatch');
  });

  test('that is none is refused', async () => {
    answer((content) => ({ ...content, bytes: new Uint8Array(content.bytes.length) }));
    await expect(look()).rejects.toThrowWithCode('digest-mismatch');
  });

  test.each<[string, (response: ServerResponse, content: AskedRange) => void]>([
    ['shorter', (response, { bytes, ...rest }) => send(response, bytes.subarray(1), rest)],
    [
      'longer',
      (response, { bytes, ...rest }) => send(response, Buffer.concat([bytes, bytes]), rest),
    ],
    [
      'cut, and says nothing of it',
      (response, { bytes, start, size }) => {
        const range = `bytes ${start}-${start + bytes.length - 1}/${size}`;
        response.writeHead(206, { 'content-length': bytes.length - 1, 'content-range': range });
        response.end(bytes.subarray(1));
      },
    ],
    [
      'of another place',
      (response, { bytes, start, size }) => send(response, bytes, { start: start + 1, size }),
    ],
    [
      'of a file of another size',
      (response, { bytes, start, size }) => send(response, bytes, { start, size: size + 1 }),
    ],
    [
      'of the whole file and more',
      (response, { bytes }) => {
        response.writeHead(200, { 'content-length': bytes.length + 1 });
        response.end(Buffer.concat([bytes, Buffer.alloc(1)]));
      },
    ],
  ])('in an answer that is %s is refused', async (_case, spoil) => {
    served.spoil = (_request, response, content) => {
      spoil(response, content);
      return true;
    };
    await expect(look()).rejects.toThrowWithCode('network');
  });

  test('beside another inventory than the manifest names is refused', async () => {
    served.tamper = (path, bytes) =>
      path.endsWith('/tensors.json') ? replaceIn(bytes, `"name":"${tensor}"`, '"name":"x"') : bytes;
    await expect(look()).rejects.toThrowWithCode('digest-mismatch');
    expect(contentRequests()).toEqual([]);
  });
});

test('metadata that nobody can prove is shown, and said not to be proved', async () => {
  await publishWeights(served, 'acme/tiny@v1', SHARDED);
  answer((content) => replaced(content, '"pt"', '"tf"'));
  const { level, inspections } = await look();
  expect(level).toBe('tensors');
  expect(inspections[0]!.metadata).toEqual({ format: 'tf' });
});

test('metadata that can be proved has to be right', async () => {
  await publishWeights(served, 'acme/tiny@v1', SMALL);
  answer((content) => replaced(content, '"pt"', '"tf"'));
  await expect(look()).rejects.toThrowWithCode('digest-mismatch');
});

test('weights that were changed behind an honest header are found where chunks are read', async () => {
  await publishWeights(served, 'acme/tiny@v1', SMALL);
  answer((content) => {
    const bytes = content.bytes.slice();
    bytes[bytes.length - 1]! ^= 1;
    return { ...content, bytes };
  });
  await expect(look()).rejects.toThrowWithCode('digest-mismatch');
});

test('a registry that signs an inventory of other tensors than the file has is found', async () => {
  const forge = ({ files }: Inventory): Inventory => ({
    files: files.map(({ tensors, ...file }) => ({
      ...file,
      tensors: tensors.map((tensor) => ({ ...tensor, name: `x${tensor.name}` })),
    })),
  });
  await publishWeights(served, 'acme/tiny@v1', SMALL, forge);
  await expect(look()).rejects.toThrowWithCode('digest-mismatch');
});

describe('a registry that sends its readers to a store', () => {
  let store: Server;
  let atStore: (response: ServerResponse, content: AskedRange) => void;
  let token: (string | undefined)[];

  beforeEach(async () => {
    token = [];
    atStore = sendRange;
    store = createServer((request, response) => {
      token.push(request.headers.authorization);
      const content = sent.get(request.url!)!;
      atStore(response, content);
    });
    await new Promise<void>((done) => store.listen(0, '127.0.0.1', done));
    await publishWeights(served, 'acme/tiny@v1', SHARDED);
  });
  afterEach(async () => {
    store.closeAllConnections();
    await new Promise((done) => store.close(done));
  });

  /** What each address at the store is for. */
  const sent = new Map<string, AskedRange>();

  function redirect(status: number): void {
    served.spoil = (_, response, content) => {
      const path = `/blob-${sent.size}?signature=s`;
      sent.set(path, content);
      const location = `http://127.0.0.1:${(store.address() as AddressInfo).port}${path}`;
      response.writeHead(status, { location, 'content-length': 0 }).end();
      return true;
    };
  }

  test.each([302, 307])('by %i is followed there, without the token', async (status) => {
    const honest = await look();
    redirect(status);
    expect(await look()).toMatchObject({
      inspections: honest.inspections,
      received: honest.received,
    });
    expect(token).toEqual([undefined, undefined, undefined]);
  });

  test('whose bytes are others is refused', async () => {
    redirect(307);
    atStore = (response, content) => sendRange(response, replaced(content, '"a"', '"x"'));
    await expect(look()).rejects.toThrowWithCode('digest-mismatch');
  });

  test('that sends them on is refused', async () => {
    redirect(307);
    atStore = (response) =>
      response.writeHead(302, { location: served.url, 'content-length': 0 }).end();
    await expect(look()).rejects.toThrowWithCode('network');
  });
});

/** Any bytes, under any claim of which range they are. */
function send(
  response: ServerResponse,
  bytes: Uint8Array,
  { start, size }: { readonly start: number; readonly size: number },
): void {
  const range = `bytes ${start}-${start + bytes.length - 1}/${size}`;
  response.writeHead(206, { 'content-length': bytes.length, 'content-range': range });
  response.end(bytes);
}

function replaceIn(bytes: Uint8Array, from: string, to: string): Uint8Array {
  return replaced({ bytes, start: 0, size: bytes.length }, from, to).bytes;
}
