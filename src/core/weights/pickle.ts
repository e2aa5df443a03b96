/**
 * Would a pickle machine run this file?
 *
 * A pickle is a program (Python, `pickletools`), and loading it runs whatever it calls. Old
 * ones have no magic number, new ones have two bytes that raw numbers begin with by chance,
 * and broken ones run up to the place where they break. So nothing is looked up in a list
 * of bad names; the file is walked from its first byte, as a loader would, until
 *
 *     it calls something that it imported              → a pickle
 *     it stops after naming its protocol, or at the end → a pickle
 *     a loader would give up                           → harmless: nothing was called
 *
 * The walk forgives what some loader might forgive (it counts the stack's depth only), so
 * that it errs towards "pickle". It is run on every file: the eight bytes before a
 * safetensors header can be an instruction that leaps over that header.
 */
import { Cursor } from './cursor.ts';
import type { ByteReader } from './reader.ts';

/** Instructions after which anything that still goes on is a pickle. */
export const MAX_PICKLE_STEPS = 10_000;
/** Bytes of one line; text that goes on without one is not read to its end. */
export const MAX_PICKLE_LINE = 1 << 20;

/** How an argument is read. A number is a fixed size; `u8`… is a length, followed by its bytes. */
type Argument = number | 'u8' | 'u32' | 'u64' | 'line' | 'integer' | 'float' | 'quoted' | 'names';

/** Values taken from the stack; `mark`: all above the newest mark; `top`: a value, or else a mark. */
type Taken = number | 'mark' | 'top';

interface Instruction {
  readonly argument: Argument;
  readonly takes: Taken;
  readonly gives: number;
}

/** codes, argument, takes, gives: `pickletools.opcodes` of protocols 0 to 5 */
const INSTRUCTIONS: readonly (readonly [string, Argument, Taken, number])[] = [
  ['(', 0, 0, 0], // MARK
  ['.', 0, 1, 0], // STOP
  ['0', 0, 'top', 0], // POP
  ['1', 0, 'mark', 0], // POP_MARK
  ['2', 0, 1, 2], // DUP
  ['N])}\x88\x89\x8f', 0, 0, 1], // None, empty list, tuple and dict, True, False, empty set
  ['ldt\x91', 0, 'mark', 1], // LIST DICT TUPLE FROZENSET
  ['\x85', 0, 1, 1], // TUPLE1
  ['\x86', 0, 2, 1], // TUPLE2
  ['\x87', 0, 3, 1], // TUPLE3
  ['a', 0, 2, 1], // APPEND
  ['s', 0, 3, 1], // SETITEM
  ['eu\x90', 0, 'mark', 0], // APPENDS SETITEMS ADDITEMS
  ['I', 'integer', 0, 1],
  ['L', 'integer', 0, 1],
  ['F', 'float', 0, 1],
  ['S', 'quoted', 0, 1],
  ['VP', 'line', 0, 1], // UNICODE PERSID
  ['Q', 0, 1, 1], // BINPERSID
  ['K', 1, 0, 1],
  ['M', 2, 0, 1],
  ['J', 4, 0, 1],
  ['G', 8, 0, 1],
  ['UC\x8a\x8c', 'u8', 0, 1], // SHORT_BINSTRING SHORT_BINBYTES LONG1 SHORT_BINUNICODE
  ['TXB\x8b', 'u32', 0, 1], // BINSTRING BINUNICODE BINBYTES LONG4
  ['\x8d\x8e\x96', 'u64', 0, 1], // BINUNICODE8 BINBYTES8 BYTEARRAY8
  ['g', 'integer', 0, 1], // GET
  ['h', 1, 0, 1],
  ['j', 4, 0, 1],
  ['p', 'integer', 1, 1], // PUT
  ['q', 1, 1, 1],
  ['r', 4, 1, 1],
  ['\x94', 0, 1, 1], // MEMOIZE
  ['\x80', 1, 0, 0], // PROTO
  ['\x95', 8, 0, 0], // FRAME
  ['\x97', 0, 0, 1], // NEXT_BUFFER
  ['\x98', 0, 1, 1], // READONLY_BUFFER
  ['c', 'names', 0, 1], // GLOBAL
  ['\x93', 0, 2, 1], // STACK_GLOBAL
  ['\x82', 1, 0, 1], // EXT1, 2, 4
  ['\x83', 2, 0, 1],
  ['\x84', 4, 0, 1],
  ['i', 'names', 'mark', 1], // INST
  ['o', 0, 'mark', 1], // OBJ
  ['R', 0, 2, 1], // REDUCE
  ['b', 0, 2, 1], // BUILD
  ['\x81', 0, 2, 1], // NEWOBJ
  ['\x92', 0, 3, 1], // NEWOBJ_EX
];

const BY_CODE: readonly (Instruction | undefined)[] = (() => {
  const table = new Array<Instruction | undefined>(256).fill(undefined);
  for (const [codes, argument, takes, gives] of INSTRUCTIONS) {
    for (const code of codes) table[code.charCodeAt(0)] = { argument, takes, gives };
  }
  return table;
})();

const codesOf = (text: string): ReadonlySet<number> =>
  new Set(Array.from(text, (char) => char.charCodeAt(0)));

const NEWLINE = 0x0a;
const MARK = 0x28;
const STOP = 0x2e;
const PROTO = 0x80;
const NEWEST_PROTOCOL = 5;
const IMPORTS = codesOf('ci\x93\x82\x83\x84');
const CALLS = codesOf('ioRb\x81\x92');

/** What Python's `int`, `float` and `import` take, in a line of protocol 0. */
const LINES: Readonly<Record<string, RegExp>> = {
  integer: /^\s*[+-]?[\da-fA-FxXoO_]+L?\s*$/,
  float: /^\s*[+-]?(?:nan|inf(?:inity)?|[\d_.]+(?:e[+-]?[\d_]+)?)\s*$/i,
  quoted: /^\s*(?:'.*'|".*")\s*$/s,
  names: /^[^\s()[\]{},;'"]{1,1000}$/,
};

/** True when a loader of pickles would get anywhere with this file. */
export function isPickle(reader: ByteReader): Promise<boolean> {
  return new Walk(reader).run();
}

type Step = 'on' | 'pickle' | 'harmless';

class Walk {
  readonly #cursor: Cursor;
  #depth = 0;
  #marks: number[] = [];
  #named = false;
  #imported = false;

  constructor(reader: ByteReader) {
    this.#cursor = new Cursor(reader);
  }

  async run(): Promise<boolean> {
    for (let step = 0; step < MAX_PICKLE_STEPS; step++) {
      const outcome = await this.#step();
      if (outcome !== 'on') return outcome === 'pickle';
    }
    return true;
  }

  async #step(): Promise<Step> {
    if (!(await this.#cursor.need(1))) return 'harmless';
    const code = this.#cursor.u8();
    const instruction = BY_CODE[code];
    if (instruction === undefined) return 'harmless';
    if (code === PROTO) return this.#nameProtocol();
    const argument = await this.#skipArgument(instruction.argument);
    if (argument !== 'on') return argument;
    if (!this.#move(code, instruction)) return 'harmless';
    if (IMPORTS.has(code)) this.#imported = true;
    if (CALLS.has(code) && this.#imported) return 'pickle';
    return code === STOP ? this.#stop() : 'on';
  }

  async #nameProtocol(): Promise<Step> {
    if (!(await this.#cursor.need(1)) || this.#cursor.u8() > NEWEST_PROTOCOL) return 'harmless';
    this.#named = true;
    return 'on';
  }

  /** Takes from the stack and gives to it; false when there is not enough. */
  #move(code: number, { takes, gives }: Instruction): boolean {
    if (code === MARK) this.#marks.push(this.#depth);
    if (takes === 'top' && this.#depth > (this.#marks.at(-1) ?? 0)) this.#depth -= 1;
    else if (typeof takes === 'string') {
      const mark = this.#marks.pop();
      if (mark === undefined) return false;
      this.#depth = Math.min(this.#depth, mark);
    } else {
      if (this.#depth < takes) return false;
      this.#depth -= takes;
    }
    this.#depth += gives;
    return true;
  }

  /** Old PyTorch files are several pickles in a row. */
  #stop(): Step {
    if (this.#named || this.#cursor.remaining === 0) return 'pickle';
    this.#depth = 0;
    this.#marks = [];
    return 'on';
  }

  async #skipArgument(argument: Argument): Promise<Step> {
    if (typeof argument === 'number') return this.#cursor.skip(argument) ? 'on' : 'harmless';
    if (argument === 'u8' || argument === 'u32' || argument === 'u64') {
      return this.#skipCounted(argument);
    }
    const first = await this.#checkLine(argument);
    return argument === 'names' && first === 'on' ? this.#checkLine(argument) : first;
  }

  async #skipCounted(width: 'u8' | 'u32' | 'u64'): Promise<Step> {
    if (!(await this.#cursor.need({ u8: 1, u32: 4, u64: 8 }[width]))) return 'harmless';
    return this.#cursor.skip(this.#cursor[width]()) ? 'on' : 'harmless';
  }

  /** A line; the end of the file ends one too, as it does for Python. */
  async #checkLine(kind: string): Promise<Step> {
    let line = '';
    while (await this.#cursor.need(1)) {
      const code = this.#cursor.u8();
      if (code === NEWLINE) break;
      line += String.fromCharCode(code);
      if (line.length > MAX_PICKLE_LINE) return kind === 'line' ? 'pickle' : 'harmless';
    }
    return LINES[kind]?.test(line) === false ? 'harmless' : 'on';
  }
}
