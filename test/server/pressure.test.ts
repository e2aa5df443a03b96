import { describe, expect, test } from '@jest/globals';
import {
  BAD,
  GOOD,
  LOOKS_TO_GREEN,
  LOOKS_TO_RED,
  type Look,
  Pressure,
} from '../../src/server/pressure.ts';

const WELL: Look = { lag: 0, memory: 0, refused: 0 };

function taking(pressure: Pressure, look: Partial<Look>, times: number): Pressure {
  for (let n = 0; n < times; n++) pressure.take({ ...WELL, ...look });
  return pressure;
}

describe('a server', () => {
  test.each([
    [{ lag: BAD.lag }, true],
    [{ memory: BAD.memory }, true],
    [{ refused: 1 }, false],
  ] as const)(
    'is not ready after some bad looks in a row (%j), and not after one less',
    (bad, isPressed) => {
      const pressure = taking(new Pressure(), bad, LOOKS_TO_RED - 1);
      expect(pressure.reason()).toBeUndefined();
      taking(pressure, bad, 1);
      expect(pressure.reason()).toEqual(expect.any(String));
      expect(pressure.isPressed()).toBe(isPressed);
    },
  );

  test('is ready again only after more good looks in a row', () => {
    const pressure = taking(new Pressure(), { lag: BAD.lag }, LOOKS_TO_RED);
    taking(pressure, {}, LOOKS_TO_GREEN - 1);
    taking(pressure, { refused: 1 }, 1);
    taking(pressure, { lag: GOOD.lag, memory: GOOD.memory }, LOOKS_TO_GREEN - 1);
    expect(pressure.reason()).toEqual(expect.any(String));
    taking(pressure, {}, 1);
    expect(pressure.reason()).toBeUndefined();
  });

  test('stays as it is between good and bad, and bad looks that are not in a row are nothing', () => {
    const between = { lag: (BAD.lag + GOOD.lag) / 2 };
    const well = new Pressure();
    for (let n = 0; n < 10; n++) taking(taking(well, { lag: BAD.lag }, 1), between, 1);
    expect(well.reason()).toBeUndefined();
    const ill = taking(new Pressure(), { memory: BAD.memory }, LOOKS_TO_RED);
    expect(taking(ill, between, 100).isPressed()).toBe(true);
  });

  test('that refuses only because it was pressed has all its places again', () => {
    const pressure = taking(new Pressure(), { lag: BAD.lag, refused: 5 }, LOOKS_TO_RED);
    expect(taking(pressure, { refused: 5 }, 1).isPressed()).toBe(false);
    expect(pressure.reason()).toContain('places');
  });
});
