/**
 * Keeps the countdowns of a page current: elements that name an instant in `data-until`, beside a
 * `time` that says it exactly. They change when their words do, once a minute for the most part, and
 * are part of no live region: nobody is told each time. The last minute is counted in seconds, unless
 * the reader has asked for less motion.
 */
import { formatWait } from '../../core/amounts.ts';

const MINUTE = 60_000;
const SECOND = 1_000;

interface Countdown {
  readonly element: HTMLElement;
  readonly until: number;
}

/**
 * Begins, with what `clock` says is now, in milliseconds since 1970. `onOver` is called once for
 * each countdown that ends while somebody looks.
 */
export function keepCurrent(page: ParentNode, clock: () => number, onOver: () => void): void {
  const elements = [...page.querySelectorAll<HTMLElement>('[data-until]')];
  const found = elements.map((element): Countdown => {
    return { element, until: Date.parse(element.dataset.until ?? '') };
  });
  let running = found.filter(({ until }) => until > clock());
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  let next: ReturnType<typeof setTimeout> | undefined;

  const look = () => {
    clearTimeout(next);
    const now = clock();
    const over = running.filter(({ until }) => until <= now);
    running = running.filter(({ until }) => until > now);
    for (const { element } of over) write(element, 'now');
    const finest = calm.matches ? 'minute' : 'second';
    for (const { element, until } of running)
      write(element, `in ${formatWait(until - now, finest)}`);
    if (over.length > 0) onOver();
    const pauses = running.map(({ until }) => untilWordsChange(until - now, finest));
    if (pauses.length > 0) next = setTimeout(look, Math.min(...pauses));
  };

  // A page that nobody has looked at for a day is not a day behind when somebody does.
  document.addEventListener('visibilitychange', look);
  look();
}

/** What is there already is not written again: the reader may be selecting it. */
function write(element: HTMLElement, words: string): void {
  if (element.textContent !== words) element.textContent = words;
}

/** Milliseconds until the words for `left` are other ones: a little after a minute, or a second, is full. */
function untilWordsChange(left: number, finest: 'minute' | 'second'): number {
  const step = finest === 'second' && left <= MINUTE ? SECOND : MINUTE;
  return (left % step) + 1;
}
