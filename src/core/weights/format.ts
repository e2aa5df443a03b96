/**
 * Formats that Weighhouse tells apart, and those whose loaders run code. A namespace's
 * policy names the latter from this list when it allows them.
 */

/** Why loading each of these may run code that came with it. */
const CODE_CARRYING = {
  pickle: 'a pickle runs what it calls when it is loaded',
  torch: 'a PyTorch archive holds pickles',
  keras: 'a Keras archive may hold layers with code',
  hdf5: 'HDF5 may hold Keras layers with code',
  python: 'Python code',
  executable: 'machine code',
  '7z': 'an archive that cannot be looked into',
  rar: 'an archive that cannot be looked into',
  tar: 'an archive that is not looked into',
  gzip: 'compressed, so that it cannot be looked into',
  bzip2: 'compressed, so that it cannot be looked into',
  xz: 'compressed, so that it cannot be looked into',
  zstd: 'compressed, so that it cannot be looked into',
  lz4: 'compressed, so that it cannot be looked into',
} as const;

/** `npz`, `npy`, `zip` and `json` may or may not run code: that depends on what they hold. */
const OTHERS = [
  'safetensors',
  'gguf',
  'onnx',
  'tflite',
  'npy',
  'npz',
  'zip',
  'json',
  'text',
  'empty',
  'other',
] as const;

export type Format = keyof typeof CODE_CARRYING | (typeof OTHERS)[number];

/** Every format's name. */
export const FORMATS: readonly Format[] = [
  ...OTHERS,
  ...(Object.keys(CODE_CARRYING) as (keyof typeof CODE_CARRYING)[]),
];

/** Why every file of that format counts as code, or undefined when it does not. */
export function codeCarrying(format: Format): string | undefined {
  return format in CODE_CARRYING ? CODE_CARRYING[format as keyof typeof CODE_CARRYING] : undefined;
}

/** True for the name of a format. */
export function isFormat(text: string): text is Format {
  return (FORMATS as readonly string[]).includes(text);
}
