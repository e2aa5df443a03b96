/** Which registries this person believes. */
import type { PinStore } from '../client/pins.ts';
import { DiskPins } from '../transfer/pins-disk.ts';
import { type Context, places } from './context.ts';

/** The registries that this person has pinned. */
export function openPins({ config }: Context): PinStore {
  return new DiskPins(places.pins(config));
}
