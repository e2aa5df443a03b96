/** What the thread that plans a download and the threads that carry it out say to one another. */
import type { ErrorCode } from '../../core/error.ts';
import type { ChunkTarget } from './chunk-writer.ts';

/** One stretch of one file, to be fetched over one connection. */
export interface FetchRequest extends ChunkTarget {
  readonly url: string;
  readonly token: string | undefined;
  /** Where an earlier stretch of the file came from, if not from the registry itself. */
  readonly location: string | undefined;
}

export interface FetchCall {
  readonly id: number;
  /** Which of the thread's connections to use. */
  readonly connection: number;
  readonly request: FetchRequest;
}

/** What became of one chunk, or of the whole stretch. */
export type FetchReport =
  | { readonly id: number; readonly chunk: number; readonly fits: boolean }
  | { readonly id: number; readonly done: true; readonly location: string | undefined }
  | { readonly id: number; readonly done: false; readonly failure: FetchFailure };

/** A coded error crosses between threads as its parts. */
export interface FetchFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** A thread's memory that the planning thread may look into: bytes received so far. */
export interface ThreadData {
  readonly received: SharedArrayBuffer;
}
