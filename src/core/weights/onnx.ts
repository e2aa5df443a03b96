/**
 * Is this file an ONNX model? A protocol buffer has no magic number, so its outermost fields
 * are walked (onnx.proto, `ModelProto`): they must be that message's, and end with the file.
 */
import { Cursor } from './cursor.ts';
import type { ByteReader } from './reader.ts';

const VARINT = 0;
const BYTES = 2;
const IR_VERSION = 1;
const GRAPH = 7;
/** Field number → wire type. */
const FIELDS: ReadonlyMap<number, number> = new Map([
  [IR_VERSION, VARINT],
  [2, BYTES], // producer_name
  [3, BYTES], // producer_version
  [4, BYTES], // domain
  [5, VARINT], // model_version
  [6, BYTES], // doc_string
  [GRAPH, BYTES],
  [8, BYTES], // opset_import
  [14, BYTES], // metadata_props
  [20, BYTES], // training_info
  [25, BYTES], // functions
  [26, BYTES], // configuration
]);
/** Outermost fields; functions and properties repeat. */
const MAX_FIELDS = 10_000;

/** True when all outermost fields are those of an ONNX model, with a version and a graph. */
export async function isOnnx(reader: ByteReader): Promise<boolean> {
  const cursor = new Cursor(reader);
  const seen = new Set<number>();
  for (let i = 0; i < MAX_FIELDS && cursor.remaining > 0; i++) {
    const tag = await readVarint(cursor);
    const field = Math.floor(tag / 8);
    if (FIELDS.get(field) !== tag % 8) return false;
    const value = await readVarint(cursor);
    if (Number.isNaN(value) || (tag % 8 === BYTES && !cursor.skip(value))) return false;
    seen.add(field);
  }
  return cursor.remaining === 0 && seen.has(IR_VERSION) && seen.has(GRAPH);
}

/** NaN where there is none. Beyond 2^53 only nearly right, and then longer than any file. */
async function readVarint(cursor: Cursor): Promise<number> {
  let value = 0;
  for (let scale = 1; scale <= 2 ** 63; scale *= 128) {
    if (!(await cursor.need(1))) return Number.NaN;
    const byte = cursor.u8();
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
  }
  return Number.NaN;
}
