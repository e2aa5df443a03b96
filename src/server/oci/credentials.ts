/**
 * How OCI clients show a token: as a bearer (RFC 6750, section 2.1), or as the password of any
 * name (RFC 7617), which is how `docker login` and its like keep one.
 */
import { parseBase64, parseUtf8 } from '../../core/bytes.ts';
import { CodedError } from '../../core/error.ts';

const CREDENTIALS = /^(?:Bearer ([A-Za-z0-9_.-]+)|Basic ([A-Za-z0-9+/]+={0,2}))$/i;

/** The token in an `Authorization` header; undefined without one. Throws `not-authorised`. */
export function tokenIn(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const [, bearer, basic] = CREDENTIALS.exec(header) ?? [];
  const token = bearer ?? (basic === undefined ? '' : passwordIn(basic));
  if (token !== '') return token;
  const message = 'show a token of this registry, as a bearer or as the password of any name';
  throw new CodedError('not-authorised', message);
}

function passwordIn(basic: string): string {
  try {
    const [, ...password] = parseUtf8(parseBase64(basic)).split(':');
    return password.join(':');
  } catch {
    return '';
  }
}
