/**
 * What is this file? Decided by its content alone: a pickle may be called `.safetensors`,
 * and a `.bin` may be plain floats. A file that two kinds of loaders would both accept is
 * what the more dangerous of them makes of it, so pickles and archives are looked for first,
 * in every file. What cannot be looked into counts as carrying code: scanners are bypassed
 * all the time; refuse, do not scan.
 */
import { equal, utf8 } from '../bytes.ts';
import { isCoded } from '../error.ts';
import { codeCarrying, type Format } from './format.ts';
import { isOnnx } from './onnx.ts';
import { isPickle } from './pickle.ts';
import { type ByteReader, readExactly, readHead, sliceOf } from './reader.ts';
import { contentOffset, readZip, type ZipMember } from './zip.ts';

/** Bytes from the beginning by which most formats are told. */
const HEAD_SIZE = 8 * 1024;
/** Archives in archives; deeper ones count as carrying code. */
export const MAX_ARCHIVE_DEPTH = 3;

export interface Sniffed {
  readonly format: Format;
  /** Why loading the file may run code that it carries. */
  readonly executesCode?: string;
}

/** Tells the format. Malformed archives count as carrying code; nothing is thrown for content. */
export function sniff(reader: ByteReader): Promise<Sniffed> {
  return sniffAt(reader, 0);
}

async function sniffAt(reader: ByteReader, depth: number): Promise<Sniffed> {
  if (reader.size === 0) return { format: 'empty' };
  if (await isPickle(reader)) return named('pickle');
  const zip = await sniffZip(reader, depth);
  if (zip?.executesCode !== undefined) return zip;
  const head = await readHead(reader, HEAD_SIZE);
  const magic = byMagic(head);
  if (magic === 'npy') return sniffNpy(head);
  if (magic !== undefined) return named(magic);
  if (await isHdf5(reader)) return named('hdf5');
  if (looksLikeSafetensors(head)) return { format: 'safetensors' };
  if (zip !== undefined) return zip;
  if (await isOnnx(reader)) return { format: 'onnx' };
  return { format: textFormat(head, head.length < reader.size) ?? 'other' };
}

function named(format: Format): Sniffed {
  const reason = codeCarrying(format);
  return reason === undefined ? { format } : { format, executesCode: reason };
}

/** offset, bytes, format */
const MAGICS: readonly (readonly [number, Uint8Array, Format])[] = [
  [0, utf8('GGUF'), 'gguf'],
  [4, utf8('TFL3'), 'tflite'],
  [0, bytesOf('\x93NUMPY'), 'npy'],
  [0, bytesOf('7z\xbc\xaf\x27\x1c'), '7z'],
  [0, utf8('Rar!\x1a\x07'), 'rar'],
  [257, utf8('ustar'), 'tar'],
  [0, bytesOf('\x1f\x8b\x08'), 'gzip'],
  [0, utf8('BZh'), 'bzip2'],
  [0, bytesOf('\xfd7zXZ\x00'), 'xz'],
  [0, bytesOf('\x28\xb5\x2f\xfd'), 'zstd'],
  [0, bytesOf('\x04\x22\x4d\x18'), 'lz4'],
  [0, bytesOf('\x7fELF'), 'executable'],
  [0, bytesOf('\xcf\xfa\xed\xfe'), 'executable'],
  [0, bytesOf('\xce\xfa\xed\xfe'), 'executable'],
  [0, bytesOf('\xca\xfe\xba\xbe'), 'executable'],
];

function bytesOf(latin1: string): Uint8Array {
  return Uint8Array.from(latin1, (char) => char.charCodeAt(0));
}

function byMagic(head: Uint8Array): Format | undefined {
  for (const [offset, magic, format] of MAGICS) {
    if (equal(head.subarray(offset, offset + magic.length), magic)) return format;
  }
  return isWindowsProgram(head) ? 'executable' : undefined;
}

/** "MZ", and "PE" where the field at 0x3c says: two letters alone begin many a text. */
function isWindowsProgram(head: Uint8Array): boolean {
  if (head.length < 0x40 || head[0] !== 0x4d || head[1] !== 0x5a) return false;
  const at = new DataView(head.buffer, head.byteOffset).getUint32(0x3c, true);
  return equal(head.subarray(at, at + 4), utf8('PE\0\0'));
}

/** A plausible length and an opening brace; whether the file keeps the format is read later. */
function looksLikeSafetensors(head: Uint8Array): boolean {
  return head.length > 8 && head[8] === 0x7b && head[6] === 0 && head[7] === 0;
}

/** The signature stands at 0, 512, 1024, …: a user block may lie before it (HDF5, III.A). */
async function isHdf5(reader: ByteReader): Promise<boolean> {
  const signature = bytesOf('\x89HDF\r\n\x1a\n');
  for (let at = 0; at + 8 <= reader.size && at <= 65_536; at = at === 0 ? 512 : at * 2) {
    if (equal(await readExactly(reader, at, 8), signature)) return true;
  }
  return false;
}

/**
 * numpy (NEP 1): a header in Python's syntax tells the element type. Arrays of objects are
 * pickled. Only the plain number types are known to be none; anything cleverer counts.
 */
function sniffNpy(head: Uint8Array): Sniffed {
  const text = String.fromCharCode(...head.subarray(0, 1_024));
  const descr = /'descr': '[<>|=]?[biufcSUVmM?]\d*(?:\[\w+\])?',/;
  if (descr.test(text) && !text.slice(0, text.indexOf('}')).includes('\\'))
    return { format: 'npy' };
  return { format: 'npy', executesCode: 'its elements may be pickled objects' };
}

async function sniffZip(reader: ByteReader, depth: number): Promise<Sniffed | undefined> {
  try {
    const members = await readZip(reader);
    if (members !== undefined) return await sniffMembers(reader, members, depth);
  } catch (error) {
    if (!isCoded(error, 'bad-weights') && !isCoded(error, 'bad-encoding')) throw error;
    return { format: 'zip', executesCode: `${error.message}, so it cannot be looked into` };
  }
  // Some loaders go by the first bytes, and repair a directory that is missing.
  const head = await readHead(reader, 4);
  if (!equal(head, utf8('PK\x03\x04')) && !equal(head, utf8('PK\x05\x06'))) return undefined;
  return { format: 'zip', executesCode: 'a zip archive without a directory' };
}

/** Names by which loaders find code in an archive. */
const CODE_NAME = /\.(?:pkl|pickle|dill|joblib|pt|pth|ckpt|py|pyc|so|dll|dylib)$/i;

async function sniffMembers(
  reader: ByteReader,
  members: readonly ZipMember[],
  depth: number,
): Promise<Sniffed> {
  const format = archiveFormat(members.map((member) => member.name));
  const whole = codeCarrying(format);
  if (whole !== undefined) return { format, executesCode: whole };
  for (const member of members) {
    const reason = await memberCode(reader, member, depth);
    if (reason !== undefined) {
      return { format, executesCode: `it holds ${JSON.stringify(member.name)}: ${reason}` };
    }
  }
  return { format };
}

function archiveFormat(names: readonly string[]): Format {
  if (names.some((name) => /(?:^|\/)(?:data|constants)\.pkl$/.test(name))) return 'torch';
  if (names.includes('model.weights.h5') || names.includes('keras_metadata.pb')) return 'keras';
  return names.length > 0 && names.every((name) => name.endsWith('.npy')) ? 'npz' : 'zip';
}

async function memberCode(
  reader: ByteReader,
  member: ZipMember,
  depth: number,
): Promise<string | undefined> {
  if (CODE_NAME.test(member.name)) return 'by its name it carries code';
  if (!member.stored) return 'compressed, so that it cannot be looked into';
  if (depth === MAX_ARCHIVE_DEPTH) return 'too many archives in one another';
  const content = sliceOf(reader, await contentOffset(reader, member), member.size);
  return (await sniffAt(content, depth + 1)).executesCode;
}

/** JSON and plain text: UTF-8 without control characters, as far as the head shows. */
function textFormat(head: Uint8Array, isCut: boolean): 'json' | 'text' | undefined {
  const text = decodeText(head, isCut);
  if (text === undefined || /[^\P{Cc}\t\n\r\f]/u.test(text)) return undefined;
  return JSON_START.test(text) ? 'json' : 'text';
}

/** A brace with a key or nothing behind it, a bracket with a value or nothing: `[PAD]` is a word. */
const JSON_START = /^\ufeff?\s*(?:\{\s*["}]|\[\s*(?:[[\]{"\d-]|true\b|false\b|null\b))/;

function decodeText(head: Uint8Array, isCut: boolean): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: isCut });
  } catch {
    return undefined;
  }
}
