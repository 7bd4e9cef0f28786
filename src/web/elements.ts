/** Elements that the page's HTML has. */

/** The element of that id; an error of ours where the HTML has it not. */
export function element<E extends HTMLElement>(id: string, kind: new () => E): E {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`page.html has no ${kind.name} with id ${id}`);
}

/** Sets text only where it changes: a live region that is written again may be read again. */
export function setText(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}
