/**
 * A README.md as part of a page. Its text is a stranger's: HTML in it stays text, addresses with
 * another scheme than https, http or mailto are no links, and nothing is fetched from elsewhere,
 * so a picture is a link to it. Its headings stand below the page's own.
 */
import MarkdownIt from 'markdown-it';
import { type Html, trusted } from './html.ts';

/** Levels by which headings are moved down: the page has the first two. */
const BELOW = 2;
const MAX_LEVEL = 6;

/** The front matter, which is for programs. */
const FRONT_MATTER = /^---\r?\n[\s\S]*?\r?\n---(?:\r?\n|$)/;

const markdown = new MarkdownIt({ html: false, linkify: false });
markdown.validateLink = (address) => /^(?:https?:\/\/|mailto:|#|[^:]*$)/i.test(address.trim());

markdown.core.ruler.push('below-the-page', ({ tokens }) => {
  for (const token of tokens) {
    if (!token.type.startsWith('heading_')) continue;
    const level = Math.min(Number(token.tag.slice(1)) + BELOW, MAX_LEVEL);
    token.tag = `h${level}`;
  }
});

markdown.renderer.rules.link_open = (tokens, at, options, _env, self) => {
  tokens[at]!.attrSet('rel', 'nofollow noopener noreferrer ugc');
  return self.renderToken(tokens, at, options);
};

markdown.renderer.rules.image = (tokens, at) => {
  const { content, attrs } = tokens[at]!;
  const { escapeHtml } = markdown.utils;
  const [, address = ''] = attrs?.find(([name]) => name === 'src') ?? [];
  const text = escapeHtml(content === '' ? 'a picture' : content);
  return `<a href="${escapeHtml(String(address))}" rel="nofollow noopener noreferrer ugc">${text} (picture)</a>`;
};

// An alignment is a class: no page has a style in itself.
for (const cell of ['th_open', 'td_open'] as const) {
  markdown.renderer.rules[cell] = (tokens, at, options, _env, self) => {
    const token = tokens[at]!;
    const isRight = token.attrGet('style') === 'text-align:right';
    token.attrs = isRight ? [['class', 'figure']] : null;
    return self.renderToken(tokens, at, options);
  };
}

// Wide tables scroll by themselves, and the keyboard can scroll them.
markdown.renderer.rules.table_open = () =>
  '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>';
markdown.renderer.rules.table_close = () => '</table></div>';

/** The card of a model, out of the text of its README.md. */
export function renderCard(readme: string): Html {
  return trusted(markdown.render(readme.replace(FRONT_MATTER, '')));
}
