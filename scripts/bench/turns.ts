/** Contenders take turns, so that whatever else the machine does meets all of them alike. */

type Contenders = Readonly<Record<string, () => Promise<number>>>;

/**
 * Lets every contender run once unmeasured (files and programs are then in memory), and
 * `rounds` times measured, changing who begins. Each returns what it reached.
 */
export async function takeTurns<C extends Contenders>(
  rounds: number,
  contenders: C,
): Promise<Record<keyof C, number>[]> {
  const names = Object.keys(contenders);
  for (const name of names) await contenders[name]!();
  const reached: Record<string, number>[] = [];
  for (let round = 0; round < rounds; round++) {
    const turn: Record<string, number> = {};
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      turn[name] = await contenders[name]!();
    }
    reached.push(turn);
  }
  return reached as Record<keyof C, number>[];
}
