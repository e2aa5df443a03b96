/** The way from an entry up to the signed root, as a picture and as a list of all its hashes. */
import { formatHex } from '../../../core/bytes.ts';
import { formatDigest } from '../../../core/digest.ts';
import { type Html, html } from '../html.ts';
import { digest, number } from '../pieces.ts';
import type { ProofNode, ProofPath, ProofStep } from '../proof-path.ts';

// Units of the picture; text in it is 11 of them high, and a phone shows about one for a pixel.
const WIDTH = 360;
const BOX = { width: 112, height: 38 };
const STEP = 66;
const EDGE = 4;
const LEFT = BOX.width / 2 + EDGE;
const MIDDLE = WIDTH / 2;
const RIGHT = WIDTH - BOX.width / 2 - EDGE;

export function proofPicture(path: ProofPath): Html {
  const { leaf, steps } = path;
  const height = steps.length * STEP + BOX.height + 2 * EDGE;
  const middleOf = (level: number) => height - EDGE - BOX.height / 2 - level * STEP;
  const rising = steps.map((step, i) => drawStep(step, middleOf(i), i === steps.length - 1));
  return html`<figure class="proof-path">
<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="path-title path-text"><title id="path-title">The proof as a way through the tree</title><desc id="path-text">From the leaf of entry ${number(leaf.start)} at the bottom, ${number(steps.length)} steps up to the root over all ${number(path.size)} entries; each step adds one hash that the proof gives. The list below has every hash.</desc>
${rising.map(({ lines }) => lines)}
${box(leaf, MIDDLE, middleOf(0), steps.length === 0 ? 'root' : 'leaf')}
${rising.map(({ boxes }) => boxes)}</svg>
<figcaption class="small"><span class="key leaf">this entry</span> <span class="key given">given by the proof</span> <span class="key">computed</span> <span class="key root">signed in the checkpoint</span></figcaption>
</figure>`;
}

/** The same for who listens, and for who copies. */
export function proofList({ leaf, steps, size, root }: ProofPath): Html {
  const hash = (node: ProofNode) => digest(formatDigest(node.hash));
  return html`<ol class="path-steps">
<li>Leaf, entry ${number(leaf.start)}: ${hash(leaf)}</li>${steps.map(
    ({ sibling, side, node }, i) => html`
<li>Given for the ${side}, ${range(sibling)}: ${hash(sibling)}. Together, ${i === steps.length - 1 ? 'the root' : range(node)}: ${hash(node)}</li>`,
  )}
<li>The checkpoint of ${number(size)} entries signs the root ${digest(formatDigest(root))}, the same.</li>
</ol>`;
}

function drawStep({ sibling, side, node }: ProofStep, middle: number, isLast: boolean) {
  const x = side === 'left' ? LEFT : RIGHT;
  const above = middle - STEP;
  const foot = above + BOX.height / 2;
  const head = middle - BOX.height / 2;
  return {
    lines: html`<line x1="${MIDDLE}" y1="${head}" x2="${MIDDLE}" y2="${foot}"/><line x1="${x}" y1="${head}" x2="${MIDDLE}" y2="${foot}"/>`,
    boxes: html`${box(sibling, x, middle, 'given')}${box(node, MIDDLE, above, isLast ? 'root' : 'computed')}`,
  };
}

function box(node: ProofNode, x: number, y: number, is: string): Html {
  const { width, height } = BOX;
  const hex = formatHex(node.hash);
  return html`<g class="${is}"><rect x="${x - width / 2}" y="${y - height / 2}" width="${width}" height="${height}" rx="5"/><text x="${x}" y="${y - 4}">${range(node)}</text><text class="hash" x="${x}" y="${y + 11}">${hex.slice(0, 5)}…${hex.slice(-5)}</text></g>`;
}

/** `entry 4`, `4–7` */
function range({ start, end }: ProofNode): string {
  const last = end - 1;
  return start === last ? `entry ${number(start)}` : `${number(start)}–${number(last)}`;
}
