/** What a browser's `localStorage` does, in memory. */
import type { TextStorage } from '../../src/browser/check/stored-pins.ts';

export class MadeStorage implements TextStorage {
  readonly items = new Map<string, string>();
  /** Takes nothing more. */
  full = false;

  get length(): number {
    return this.items.size;
  }

  key(index: number): string | null {
    return [...this.items.keys()][index] ?? null;
  }

  getItem(key: string): string | null {
    return this.items.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    if (this.full) throw new Error('QuotaExceededError');
    this.items.set(key, value);
  }
}
