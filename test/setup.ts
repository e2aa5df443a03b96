/** Matchers that every test may use. */
import { expect } from '@jest/globals';
import { CodedError, type ErrorCode } from '../src/core/error.ts';

declare module 'expect' {
  interface Matchers<R> {
    /** The function throws, or the promise was rejected with, a CodedError of that code. */
    toThrowWithCode(code: ErrorCode): R;
  }
}

expect.extend({
  toThrowWithCode(received: unknown, code: ErrorCode) {
    let thrown: unknown = received;
    if (typeof received === 'function') {
      thrown = undefined;
      try {
        received();
      } catch (error) {
        thrown = error;
      }
    }
    const pass = thrown instanceof CodedError && thrown.code === code;
    const got =
      thrown instanceof CodedError ? `code ${thrown.code}: ${thrown.message}` : String(thrown);
    return { pass, message: () => `expected an error with code ${code}, got ${got}` };
  },
});
