/**
 * The directory of a zip archive (PKWARE APPNOTE 6.3): PyTorch, Keras and numpy keep their
 * files in one. Read from the end, as they read it, and strictly: what two readers would see
 * differently is refused, because archives have been made that a scanner and a loader see
 * differently.
 */
import { equal, parseUtf8 } from '../bytes.ts';
import { CodedError } from '../error.ts';
import { type ByteReader, readExactly, readTail } from './reader.ts';

/** Members of an archive. */
export const MAX_ZIP_MEMBERS = 100_000;
/** Bytes of a directory. */
export const MAX_ZIP_DIRECTORY = 64 * 1024 * 1024;

const END_SIGNATURE = 0x06054b50;
const END_SIZE = 22;
const MAX_COMMENT = 65_535;
const ZIP64_LOCATOR_SIGNATURE = 0x07064b50;
const ZIP64_LOCATOR_SIZE = 20;
const ZIP64_END_SIGNATURE = 0x06064b50;
const ZIP64_END_SIZE = 56;
const ZIP64_EXTRA = 0x0001;
const MEMBER_SIGNATURE = 0x02014b50;
const MEMBER_SIZE = 46;
const LOCAL_SIGNATURE = 0x04034b50;
const LOCAL_SIZE = 30;
/** In a 32-bit field: the value stands in the zip64 record. */
const SEE_ZIP64 = 0xffffffff;

export interface ZipMember {
  readonly name: string;
  /** Neither compressed nor encrypted: its bytes lie in the archive as they are. */
  readonly stored: boolean;
  /** Bytes as they lie in the archive. */
  readonly size: number;
  /** Of the local header, from the beginning of the file. */
  readonly header: number;
}

interface End {
  readonly members: number;
  readonly directorySize: number;
  readonly directoryOffset: number;
  /** Where the directory must end. */
  readonly directoryEnd: number;
}

/**
 * The members of the archive at the end of the file, or undefined when there is none. Throws
 * `bad-weights` for an archive that is not well-formed.
 */
export async function readZip(reader: ByteReader): Promise<readonly ZipMember[] | undefined> {
  const end = await findEnd(reader);
  if (end === undefined) return undefined;
  const start = end.directoryEnd - end.directorySize;
  // Bytes before the archive, as self-extracting ones have them, move every offset.
  const shift = start - end.directoryOffset;
  if (start < 0 || shift < 0) throw bad('has a directory that lies outside of it');
  if (end.members > MAX_ZIP_MEMBERS || end.directorySize > MAX_ZIP_DIRECTORY) {
    throw bad(`has ${end.members} members; ${MAX_ZIP_MEMBERS} are the limit`);
  }
  return readDirectory(await readExactly(reader, start, end.directorySize), end.members, shift);
}

/** Where the bytes of a stored member begin. Its local header must name it as the directory does. */
export async function contentOffset(reader: ByteReader, member: ZipMember): Promise<number> {
  if (member.header + LOCAL_SIZE > reader.size) throw bad('has a member outside of it');
  const local = viewOf(await readExactly(reader, member.header, LOCAL_SIZE));
  const nameSize = local.getUint16(26, true);
  const offset = member.header + LOCAL_SIZE + nameSize + local.getUint16(28, true);
  if (local.getUint32(0, true) !== LOCAL_SIGNATURE || offset + member.size > reader.size) {
    throw bad(`has no member where its directory says that ${JSON.stringify(member.name)} is`);
  }
  const name = await readExactly(reader, member.header + LOCAL_SIZE, nameSize);
  const stored = local.getUint16(8, true) === 0;
  if (!equal(name, new TextEncoder().encode(member.name)) || stored !== member.stored) {
    throw bad(`calls the member ${JSON.stringify(member.name)} otherwise in its directory`);
  }
  return offset;
}

/**
 * Finds the end record whose comment ends exactly with the file. Some loaders take any end
 * record, with more behind it than its comment: where such a one is, the archive is refused.
 */
async function findEnd(reader: ByteReader): Promise<End | undefined> {
  const tail = await readTail(reader, ZIP64_LOCATOR_SIZE + ZIP64_END_SIZE + END_SIZE + MAX_COMMENT);
  const view = viewOf(tail);
  const tailStart = reader.size - tail.length;
  for (let at = tail.length - END_SIZE; at >= 0; at--) {
    if (view.getUint32(at, true) !== END_SIGNATURE) continue;
    if (at + END_SIZE + view.getUint16(at + 20, true) === tail.length) {
      return readEnd(view, at, tailStart);
    }
    const directory = tailStart + at - view.getUint32(at + 12, true);
    if (await isMember(reader, directory)) throw bad('has more behind it than its comment');
  }
  return undefined;
}

async function isMember(reader: ByteReader, at: number): Promise<boolean> {
  if (at < 0 || at + MEMBER_SIZE > reader.size) return false;
  return viewOf(await readExactly(reader, at, 4)).getUint32(0, true) === MEMBER_SIGNATURE;
}

function readEnd(tail: DataView, at: number, tailStart: number): End {
  if (tail.getUint16(at + 4, true) !== 0 || tail.getUint16(at + 6, true) !== 0) {
    throw bad('is one part of several');
  }
  const end = {
    members: tail.getUint16(at + 10, true),
    directorySize: tail.getUint32(at + 12, true),
    directoryOffset: tail.getUint32(at + 16, true),
    directoryEnd: tailStart + at,
  };
  const locator = at - ZIP64_LOCATOR_SIZE;
  if (locator < 0 || tail.getUint32(locator, true) !== ZIP64_LOCATOR_SIGNATURE) return end;
  const wide = readZip64End(tail, locator, tailStart);
  const agree =
    (end.members === 0xffff || end.members === wide.members) &&
    (end.directorySize === SEE_ZIP64 || end.directorySize === wide.directorySize) &&
    (end.directoryOffset === SEE_ZIP64 || end.directoryOffset === wide.directoryOffset);
  if (!agree) throw bad('has two end records that differ');
  return wide;
}

/** Some loaders look for the record where the locator points, some right before it: one place. */
function readZip64End(tail: DataView, locator: number, tailStart: number): End {
  const at = locator - ZIP64_END_SIZE;
  if (at < 0 || tail.getUint32(at, true) !== ZIP64_END_SIGNATURE) {
    throw bad('has no zip64 end record where it belongs');
  }
  const u64 = (offset: number) => Number(tail.getBigUint64(offset, true));
  const end = {
    members: u64(at + 32),
    directorySize: u64(at + 40),
    directoryOffset: u64(at + 48),
    directoryEnd: tailStart + at,
  };
  if (u64(locator + 8) !== end.directoryOffset + end.directorySize) {
    throw bad('has a zip64 end record elsewhere than it says');
  }
  return end;
}

function readDirectory(bytes: Uint8Array, count: number, shift: number): ZipMember[] {
  const view = viewOf(bytes);
  const members: ZipMember[] = [];
  const names = new Set<string>();
  let at = 0;
  while (at < bytes.length) {
    if (at + MEMBER_SIZE > bytes.length || view.getUint32(at, true) !== MEMBER_SIGNATURE) {
      throw bad('has a broken directory');
    }
    const nameSize = view.getUint16(at + 28, true);
    const extraSize = view.getUint16(at + 30, true);
    const next = at + MEMBER_SIZE + nameSize + extraSize + view.getUint16(at + 32, true);
    if (next > bytes.length) throw bad('has a broken directory');
    const name = parseUtf8(
      bytes.subarray(at + MEMBER_SIZE, at + MEMBER_SIZE + nameSize),
      'a name in the archive',
    );
    if (names.has(name)) throw bad(`has the member ${JSON.stringify(name)} twice`);
    names.add(name);
    const extra = new DataView(
      bytes.buffer,
      bytes.byteOffset + at + MEMBER_SIZE + nameSize,
      extraSize,
    );
    members.push(
      readMember(
        new DataView(bytes.buffer, bytes.byteOffset + at, MEMBER_SIZE),
        extra,
        name,
        shift,
      ),
    );
    at = next;
  }
  if (members.length !== count) throw bad(`says ${count} members but has ${members.length}`);
  return members;
}

function readMember(fixed: DataView, extra: DataView, name: string, shift: number): ZipMember {
  const encrypted = (fixed.getUint16(8, true) & 1) === 1;
  const method = fixed.getUint16(10, true);
  // The zip64 record holds only those values that did not fit, in this order.
  const wide = findZip64(extra);
  const value = (offset: number): number => {
    const narrow = fixed.getUint32(offset, true);
    return narrow === SEE_ZIP64 && wide !== undefined ? takeU64(wide) : narrow;
  };
  value(24);
  const size = value(20);
  return { name, stored: method === 0 && !encrypted, size, header: shift + value(42) };
}

interface Rest {
  readonly view: DataView;
  at: number;
}

function findZip64(extra: DataView): Rest | undefined {
  for (let at = 0; at + 4 <= extra.byteLength; ) {
    const size = extra.getUint16(at + 2, true);
    if (at + 4 + size > extra.byteLength) break;
    if (extra.getUint16(at, true) === ZIP64_EXTRA) {
      return { view: new DataView(extra.buffer, extra.byteOffset + at + 4, size), at: 0 };
    }
    at += 4 + size;
  }
  return undefined;
}

function takeU64(rest: Rest): number {
  if (rest.at + 8 > rest.view.byteLength) throw bad('has a broken zip64 record');
  rest.at += 8;
  return Number(rest.view.getBigUint64(rest.at - 8, true));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function bad(fault: string): CodedError {
  return new CodedError('bad-weights', `the zip archive ${fault}`);
}
