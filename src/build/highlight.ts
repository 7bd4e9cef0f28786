/** Source code as HTML in the colours of a light and a dark theme: the one file that imports shiki. */
import { createHighlighter } from 'shiki';

/** A function from TypeScript to a `pre` whose words have both colours, in the variables --shiki-light and --shiki-dark. */
export async function typescriptHighlighter(): Promise<(code: string) => string> {
  const themes = { light: 'github-light-default', dark: 'github-dark-default' } as const;
  const highlighter = await createHighlighter({ themes: Object.values(themes), langs: ['typescript'] });
  return (code) => highlighter.codeToHtml(code, { lang: 'typescript', themes, defaultColor: false });
}
