/** How far something is that takes long, in bytes, and a way to stop it. */
import { formatBytes } from '../../core/amounts.ts';
import { button, element } from './element.ts';

/** Milliseconds between two changes that are shown. */
const RHYTHM = 100;

export class Progress {
  readonly #bar: HTMLProgressElement;
  readonly #text = element('span', { class: 'small' });
  readonly element: HTMLElement;
  readonly #total: number;
  #done = 0;
  #shown = 0;

  constructor(what: string, total: number, stop: () => void) {
    this.#total = total;
    this.#bar = element('progress', { 'aria-label': what, max: String(Math.max(1, total)) });
    this.element = element(
      'div',
      { class: 'progress' },
      this.#bar,
      this.#text,
      button('Stop', stop, { class: 'quiet' }),
    );
    this.#show();
  }

  add(bytes: number): void {
    this.#done = Math.min(this.#total, this.#done + bytes);
    const now = performance.now();
    if (now - this.#shown < RHYTHM && this.#done < this.#total) return;
    this.#shown = now;
    this.#show();
  }

  #show(): void {
    this.#bar.value = this.#done;
    this.#text.textContent = `${formatBytes(this.#done)} of ${formatBytes(this.#total)}`;
  }
}
