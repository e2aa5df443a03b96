/** How an undecided request is repeated. */

/** Requests that are made until one decides. */
export const MAX_UNDECIDED = 5;
const FIRST_PAUSE_MS = 50;

/** Waits before every attempt but the first: twice as long each time, and never in step. */
export async function pause(attempt: number): Promise<void> {
  if (attempt === 0) return;
  const longest = FIRST_PAUSE_MS * 2 ** attempt;
  await new Promise((done) => setTimeout(done, longest * (0.5 + Math.random() / 2)));
}
