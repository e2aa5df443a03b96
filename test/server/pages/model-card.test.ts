/** A README.md is a stranger's text: whatever stands in it, a page shows it and runs nothing. */
import { describe, expect, test } from '@jest/globals';
import { renderCard } from '../../../src/server/pages/model-card.ts';

const card = (readme: string) => renderCard(readme).toString();

const TAGS =
  /^\/?(?:h[3-6]|p|em|strong|s|a|code|pre|ul|ol|li|blockquote|hr|br|table|thead|tbody|tr|th|td|div)$/;
const ATTRIBUTES = /^(?:href|title|rel|class|start|tabindex|role|aria-label)$/;
const ADDRESS = /^(?:https?:|mailto:|#|[^:]*$)/i;

/** Every tag, attribute and address that a card may not have. */
function forbidden(card: string): string[] {
  return (card.match(/<[^>]*>?/g) ?? []).flatMap((tag) => {
    const [, name = '', rest = ''] = /^<(\/?[^\s>]*)([^>]*)>$/.exec(tag) ?? [];
    const attributes = [...rest.matchAll(/\s([^\s=]+)="([^"]*)"/g)];
    const isWhole = rest.replaceAll(/\s[^\s=]+="[^"]*"/g, '').trim() === '';
    const isBad = attributes.some(
      ([, key = '', value = '']) =>
        !ATTRIBUTES.test(key) || (key === 'href' && !ADDRESS.test(value)),
    );
    return isWhole && TAGS.test(name) && !isBad ? [] : [tag];
  });
}

describe('a card', () => {
  test('is Markdown, below the headings of its page', () => {
    expect(card('# Tiny\n\nA *small* one.')).toBe('<h3>Tiny</h3>\n<p>A <em>small</em> one.</p>\n');
    expect(card('##### Deep')).toBe('<h6>Deep</h6>\n');
  });

  test('does not show its front matter', () => {
    expect(card('---\nlicense: mit\n---\nText.')).toBe('<p>Text.</p>\n');
  });

  test('fetches no picture: it links to it', () => {
    const link = card('![a chart](https://elsewhere.example/x.png)');
    expect(link).toContain('<a href="https://elsewhere.example/x.png"');
    expect(link).toContain('a chart (picture)');
    expect(forbidden(link)).toEqual([]);
  });

  test('gives nobody’s link our word, nor our address', () => {
    expect(card('[x](https://elsewhere.example)')).toContain(
      'rel="nofollow noopener noreferrer ugc"',
    );
  });
});

describe('a hostile card', () => {
  test.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](java\tscript:alert(1))',
    '[x](&#106;avascript:alert(1))',
    '[x](data:text/html,<script>alert(1)</script>)',
    '![x](data:image/svg+xml,<svg/onload=alert(1)>)',
    '![x" onerror="alert(1)](https://e.example)',
    '![x](https://e.example/"onmouseover="alert\\(1\\))',
    '[x](https://e.example "t\\" onmouseover=\\"alert(1)")',
    '<https://e.example/"onclick="alert(1)>',
    '<javascript:alert(1)>',
    '[x]: vbscript:msgbox\n\n[x]',
    '`</code><script>alert(1)</script>`',
    '```"><script>alert(1)</script>\nx\n```',
    '| <svg onload=alert(1)> |\n|-|\n| <iframe src=x> |',
    '---\na: b\n---\n---\n<style>*{}</style>',
    '| a | b |\n|:-|-:|\n| 1 | 2 |',
    '&lt;script&gt;alert(1)&lt;/script&gt;',
  ])('runs nothing: %j', (readme) => {
    expect(forbidden(card(readme))).toEqual([]);
  });
});
