/** Something that whoever sits before the page should know: what is wrong, and what to do. */
export class PageError extends Error {
  override readonly name = 'PageError';
}
