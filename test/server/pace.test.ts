/** Which uploads are cut: on a fake clock, so that a busy machine is not taken for a slow client. */
import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { cutSlowReaders, cutSlowUploads } from '../../src/server/pace.ts';

const PACE = { bytes: 1_000, milliseconds: 100 };

/** A request with a body, as far as its pace is concerned. */
class Upload extends EventEmitter {
  complete = false;
  /** Bytes that wait for the server. */
  readableLength = 0;
  readonly socket = { bytesRead: 400, destroy: jest.fn() };
  readonly response = new EventEmitter();

  constructor(complete = false) {
    super();
    this.complete = complete;
    const [request, response] = [this, this.response] as unknown[];
    cutSlowUploads(PACE)(request as IncomingMessage, response as ServerResponse);
  }

  /** `bytes` come in, and a period goes by. */
  sends(bytes: number): this {
    this.socket.bytesRead += bytes;
    jest.advanceTimersByTime(PACE.milliseconds);
    return this;
  }

  get isCut(): boolean {
    return this.socket.destroy.mock.calls.length > 0;
  }
}

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('an upload', () => {
  test('that keeps the pace is not cut, one byte less is', () => {
    expect(new Upload().sends(1_000).sends(1_000).sends(1_000).isCut).toBe(false);
    expect(new Upload().sends(1_000).sends(999).isCut).toBe(true);
  });

  test('whose bytes wait for the server is not cut', () => {
    const upload = new Upload();
    upload.readableLength = 1;
    expect(upload.sends(0).isCut).toBe(false);
    upload.readableLength = 0;
    expect(upload.sends(0).isCut).toBe(true);
  });

  test('that has come whole is not cut, however long its answer takes', () => {
    expect(new Upload(true).sends(0).isCut).toBe(false);
    const upload = new Upload();
    upload.complete = true;
    expect(upload.sends(0).isCut).toBe(false);
  });

  test('that has ended is watched no more', () => {
    const upload = new Upload();
    upload.emit('close');
    expect(upload.sends(0).isCut).toBe(false);
    const answered = new Upload();
    answered.response.emit('close');
    expect(answered.sends(0).isCut).toBe(false);
    expect(jest.getTimerCount()).toBe(0);
  });
});

/** An answer, as far as its reader's pace is concerned. */
class Download extends EventEmitter {
  readonly socket = { bytesWritten: 5_000, writableLength: 5_000, destroy: jest.fn() };

  constructor() {
    super();
    const [request, response] = [{ socket: this.socket }, this] as unknown[];
    cutSlowReaders(PACE)(request as IncomingMessage, response as ServerResponse);
    jest.advanceTimersByTime(PACE.milliseconds);
  }

  /** `bytes` are taken, and a period goes by. */
  takes(bytes: number): this {
    this.socket.writableLength -= bytes;
    jest.advanceTimersByTime(PACE.milliseconds);
    return this;
  }

  get isCut(): boolean {
    return this.socket.destroy.mock.calls.length > 0;
  }
}

describe('a reader', () => {
  test('that keeps the pace is not cut, one byte less is', () => {
    expect(new Download().takes(1_000).takes(1_000).isCut).toBe(false);
    expect(new Download().takes(1_000).takes(999).isCut).toBe(true);
  });

  test('for whom nothing waits, or has waited a moment only, is not cut', () => {
    const download = new Download().takes(5_000).takes(0);
    expect(download.isCut).toBe(false);
    download.socket.writableLength = 1;
    expect(download.takes(0).isCut).toBe(false);
    expect(download.takes(0).isCut).toBe(true);
  });

  test('is watched no more when the answer has ended', () => {
    const download = new Download();
    download.emit('close');
    expect(download.takes(0).isCut).toBe(false);
    expect(jest.getTimerCount()).toBe(0);
  });
});
