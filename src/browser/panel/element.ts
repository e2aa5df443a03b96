/** Elements, made one by one: nothing that anybody wrote is ever read as markup. */

export type Child = Node | string | undefined | false;

/** An element with these attributes and children; an attribute of `true` has no value. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string | true>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== false));
  return made;
}

/** A button that does something on this page. */
export function button(text: string, act: () => void, attributes = {}): HTMLButtonElement {
  const made = element('button', { type: 'button', ...attributes }, text);
  made.addEventListener('click', act);
  return made;
}

/** A button that copies `text`, and says that it has. */
export function copyButton(text: string, what: string): HTMLButtonElement {
  const made = button('Copy', copy, { class: 'copy', 'aria-label': `Copy ${what}` });
  async function copy(): Promise<void> {
    const copied = await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
    made.textContent = copied ? 'Copied' : 'Not copied';
    setTimeout(() => {
      made.textContent = 'Copy';
    }, 2_000);
  }
  return made;
}
