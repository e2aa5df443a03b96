/** Makes small zip archives of stored members, right ones and wrong ones. */
import { concat, utf8 } from '../../src/core/bytes.ts';

export interface MadeMember {
  readonly name: string;
  readonly bytes?: Uint8Array;
  /** 0 is stored, 8 deflated; nothing is really compressed. */
  readonly method?: number;
  /** The name in the local header, when it shall differ. */
  readonly localName?: string;
}

/** An archive with its directory at the end; `comment` stands behind it. */
export function makeZip(members: readonly MadeMember[], comment = ''): Uint8Array {
  const locals: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { name, bytes = new Uint8Array(0), method = 0, localName = name } of members) {
    const local = concat(
      fields([4, 0x04034b50], [2, 20], [2, 0], [2, method], [4, 0], [4, 0]),
      fields([4, bytes.length], [4, bytes.length], [2, utf8(localName).length], [2, 0]),
      utf8(localName),
      bytes,
    );
    directory.push(
      fields([4, 0x02014b50], [2, 20], [2, 20], [2, 0], [2, method], [4, 0], [4, 0]),
      fields([4, bytes.length], [4, bytes.length], [2, utf8(name).length], [2, 0], [2, 0]),
      fields([2, 0], [2, 0], [4, 0], [4, offset]),
      utf8(name),
    );
    locals.push(local);
    offset += local.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  return concat(
    ...locals,
    ...directory,
    fields([4, 0x06054b50], [2, 0], [2, 0], [2, members.length], [2, members.length]),
    fields([4, size], [4, offset], [2, utf8(comment).length]),
    utf8(comment),
  );
}

/** Little-endian fields, each [bytes, value]. */
function fields(...list: readonly (readonly [number, number])[]): Uint8Array {
  return Uint8Array.from(
    list.flatMap(([size, value]) =>
      Array.from({ length: size }, (_, i) => (value / 256 ** i) & 0xff),
    ),
  );
}
