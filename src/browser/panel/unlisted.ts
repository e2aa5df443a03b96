/** What not every browser has, and TypeScript's own list therefore lacks. */
import type { FileHandle, Folder } from '../files/save-all.ts';

export interface ScriptUrlPolicy {
  createScriptURL(url: string): unknown;
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): ScriptUrlPolicy;
}

/** File System Access (WICG). */
interface Pickers {
  readonly showSaveFilePicker?: (options: { suggestedName: string }) => Promise<FileHandle>;
  readonly showDirectoryPicker?: (options: { mode: 'readwrite' }) => Promise<Folder>;
}

type Unlisted = { readonly trustedTypes?: TrustedTypes } & Pickers;

export const pickers: Pickers = globalThis as unknown as Unlisted;

/** Trusted Types (W3C): what may become a script. */
export const { trustedTypes } = globalThis as unknown as Unlisted;
