/** The thread that knows the tensors: a long inventory is parsed here, and keeps nobody else waiting. */
import type { Digest } from '../../core/digest.ts';
import { answerCalls } from '../../hashing/calls.ts';
import { type Answered, type Answers, type Kept, NAME, type Question } from './protocol.ts';
import { Shelf } from './shelf.ts';

const shelf = new Shelf();

answerCalls<Question | Kept, Answers>(NAME, (asked) => {
  switch (asked.kind) {
    case 'keep':
      shelf.keep(asked.digest, asked.bytes);
      return undefined;
    case 'sums': {
      const sums = shelf.sums(asked.of);
      return sums === undefined ? { lacks: asked.of } : { answer: sums };
    }
    case 'page':
      return when([asked.of], () => shelf.page(asked.of, asked.words, asked.page));
    case 'compare': {
      const { before, after, page } = asked;
      return when([before, after], () => shelf.compare(before, after, page));
    }
  }
});

function when<T>(needed: readonly Digest[], answer: () => T): Answered<T> {
  const lacks = shelf.lacks(needed);
  return lacks === undefined ? { answer: answer() } : { lacks };
}
