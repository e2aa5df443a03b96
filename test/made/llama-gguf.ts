/** The smallest model of the Llama architecture that llama.cpp and Ollama load: one layer, a dozen words. */
import { f32, GGUF, ggufArray, ggufKey, ggufString, makeGguf, u32 } from './gguf.ts';

const WIDTH = 32;
const FEED_FORWARD = 64;
const WORDS = ['<unk>', '<s>', '</s>', '▁', 'a', 'b', 'c', 'd', 'e', 'f', 'g', '<0x0A>'];
/** Types of words in llama.cpp: normal, unknown, control, byte. */
const [NORMAL, UNKNOWN, CONTROL, BYTE] = [1, 2, 3, 6];

const text = (key: string, value: string) => ggufKey(key, GGUF.string, ggufString(value));
const number = (key: string, value: number) => ggufKey(key, GGUF.u32, u32(value));
const list = (key: string, type: number, values: readonly Uint8Array[]) =>
  ggufKey(key, GGUF.array, ggufArray(type, values.length, ...values));

const KEYS = [
  text('general.architecture', 'llama'),
  number('general.file_type', 0),
  number('llama.context_length', 64),
  number('llama.embedding_length', WIDTH),
  number('llama.block_count', 1),
  number('llama.feed_forward_length', FEED_FORWARD),
  number('llama.attention.head_count', 2),
  ggufKey('llama.attention.layer_norm_rms_epsilon', GGUF.f32, f32(1e-5)),
  text('tokenizer.ggml.model', 'llama'),
  list('tokenizer.ggml.tokens', GGUF.string, WORDS.map(ggufString)),
  list(
    'tokenizer.ggml.scores',
    GGUF.f32,
    WORDS.map((_, place) => f32(-place)),
  ),
  list(
    'tokenizer.ggml.token_type',
    GGUF.i32,
    WORDS.map((word) => u32(typeOf(word)!)),
  ),
  number('tokenizer.ggml.bos_token_id', 1),
  number('tokenizer.ggml.eos_token_id', 2),
];

const SHAPES: Readonly<Record<string, readonly number[]>> = {
  'token_embd.weight': [WIDTH, WORDS.length],
  'output_norm.weight': [WIDTH],
  'output.weight': [WIDTH, WORDS.length],
  'blk.0.attn_norm.weight': [WIDTH],
  'blk.0.attn_q.weight': [WIDTH, WIDTH],
  'blk.0.attn_k.weight': [WIDTH, WIDTH],
  'blk.0.attn_v.weight': [WIDTH, WIDTH],
  'blk.0.attn_output.weight': [WIDTH, WIDTH],
  'blk.0.ffn_norm.weight': [WIDTH],
  'blk.0.ffn_gate.weight': [WIDTH, FEED_FORWARD],
  'blk.0.ffn_up.weight': [WIDTH, FEED_FORWARD],
  'blk.0.ffn_down.weight': [FEED_FORWARD, WIDTH],
};

function typeOf(word: string): number | undefined {
  if (word === '<unk>') return UNKNOWN;
  if (word.startsWith('<0x')) return BYTE;
  return word.startsWith('<') ? CONTROL : NORMAL;
}

/** The model; what it says makes no sense. */
export function makeLlamaGguf(): Uint8Array {
  const tensors = Object.entries(SHAPES).map(([name, shape]) => ({ name, dtype: 'F32', shape }));
  return makeGguf({ keys: KEYS, tensors });
}
