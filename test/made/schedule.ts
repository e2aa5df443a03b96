/** What happens in one seeded run of several writers on one disk: how long each operation takes, and how it fails. */
import type { Disk, Fault, Operation } from './memory-store.ts';

/** Small, fast and seeded (a linear congruential generator): 0 ≤ value < limit. */
export function seeded(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** What may befall a write; most of the time one kind of it prevails. */
const STORMS: readonly Fault[] = ['fail', 'lose', 'late', 'twice', 'undecided', 'deny', 'refuse'];
/** Of how many operations one fails in a storm, and otherwise. */
const IN_A_STORM = 3;
const IN_CALM = 40;
/** Operations between two changes of the weather. */
const SPELL = 50;

/** The behaviour of the stores of one seed. They share the weather, as they share the server. */
export class Schedule {
  readonly draw: (limit: number) => number;
  readonly #disk: Disk;
  #operations = 0;
  #storm: Fault;
  #over = false;

  constructor(seed: number, disk: Disk) {
    this.draw = seeded(seed);
    this.#disk = disk;
  }

  /** A store of one more process. */
  open() {
    return this.#disk.open({
      fault: (operation) => this.#fault(operation),
      turns: () => this.draw(4),
    });
  }

  /** No more faults, and what was delayed arrives. */
  end(): void {
    this.#over = true;
    this.#disk.deliver();
  }

  #fault({ kind }: Operation): Fault {
    if (this.#over) return undefined;
    if (this.#operations++ % SPELL === 0) {
      this.#storm = this.draw(2) === 0 ? undefined : STORMS[this.draw(STORMS.length)];
    }
    if (this.draw(20) === 0) this.#disk.deliver();
    if (this.draw(this.#storm === undefined ? IN_CALM : IN_A_STORM) > 0) return undefined;
    const fault = this.#storm ?? STORMS[this.draw(STORMS.length)];
    // A read that gets no answer fails, whatever becomes of a write.
    return kind === 'create' || kind === 'swap' || kind === 'delete' ? fault : 'fail';
  }
}
