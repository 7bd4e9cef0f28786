/** The page to study kernels in: one operation at a time, named by the hash of the address. */
import { type AnyKernelSpec, kernelSpecs } from '../../kernels/index.js';
import type { KernelSpec, OperandSpecs } from '../../kernels/spec.js';
import { benchmarkOf } from './benchmark-view.js';
import { make } from './dom.js';
import { exampleOf } from './example.js';

/** A file of a kernel's folder: highlighted by the build. */
export interface SourceFile {
  readonly name: string;
  readonly html: string;
}

/** What the build writes for each operation. */
export interface OperationSources {
  readonly folder: string;
  /** The variants. */
  readonly variants: readonly SourceFile[];
  /** What they are made of. */
  readonly parts: readonly SourceFile[];
  readonly readme: string;
}

const main = document.getElementById('operation');
const navigation = document.getElementById('operations');

/** Aborted when the page goes on to another operation. */
let leaving = new AbortController();

/** What the address asks for: names of operations are plain letters, so nothing has to be decoded. */
const asked = (): string => location.hash.slice(1);

function select(): AnyKernelSpec | undefined {
  return kernelSpecs.find((spec) => spec.name === asked()) ?? kernelSpecs[0];
}

function showNavigation(current: string): void {
  const links = kernelSpecs.map(({ name }) =>
    make(
      'li',
      {},
      make('a', { href: `#${name}`, ...(name === current ? { 'aria-current': 'page' } : {}) }, name),
    ),
  );
  navigation?.replaceChildren(make('ul', {}, ...links));
}

function show(any: AnyKernelSpec): void {
  showNavigation(any.name);
  document.title = `${any.name} – acom kernels`;
  leaving.abort();
  leaving = new AbortController();
  any.visit((spec) => main?.replaceChildren(...partsOf(spec)));
  if (asked() === '' || asked() === any.name) return;
  main?.prepend(
    make('p', { class: 'wrong', role: 'alert' }, `There is no operation “${asked()}”: this is ${any.name}.`),
  );
}

function partsOf<S extends object, O extends OperandSpecs, F>(spec: KernelSpec<S, O, F>): HTMLElement[] {
  const facts: readonly (readonly [string, string])[] = [
    ['Shapes', spec.shapes],
    ['Source', spec.source],
    ['Tolerance', `${spec.tolerance} of the largest result, against the formula in float64`],
    [
      'Variants',
      [...spec.variants, ...(spec.gpu ? [spec.gpu] : [])]
        .map(({ name, summary }) => `${name}: ${summary}`)
        .join('; '),
    ],
  ];
  return [
    make('h2', {}, spec.name),
    make('p', { class: 'formula' }, spec.formula),
    make('dl', {}, ...facts.flatMap(([term, text]) => [make('dt', {}, term), make('dd', {}, text)])),
    exampleOf(spec),
    benchmarkOf(spec, leaving.signal),
    sourcesOf(spec.name),
  ];
}

function sourcesOf(operation: string): HTMLElement {
  const section = make(
    'section',
    { 'aria-labelledby': 'sources' },
    make('h3', { id: 'sources' }, 'Variants side by side'),
  );
  void fill(section, operation);
  return section;
}

async function fill(section: HTMLElement, operation: string): Promise<void> {
  try {
    const response = await fetch(`sources/${operation}.json`);
    if (!response.ok) throw new Error(`${response.status}`);
    const { folder, variants, parts, readme } = (await response.json()) as OperationSources;
    section.append(
      make('div', { class: 'sources' }, ...variants.map((file) => sourceOf(folder, file))),
      ...parts.map((file) => folded(`${folder}/${file.name}`, codeOf(folder, file))),
      folded(`${folder}/README.md`, make('pre', { tabindex: 0 }, readme)),
    );
  } catch (error) {
    section.append(make('p', { class: 'wrong' }, `The sources could not be loaded: ${String(error)}`));
  }
}

/** Highlighted code as the build made it of this repository's own files. */
function codeOf(folder: string, { name, html }: SourceFile): HTMLElement {
  const code = make('div', {});
  code.innerHTML = html;
  code.querySelector('pre')?.setAttribute('aria-label', `${folder}/${name}`);
  return code;
}

const sourceOf = (folder: string, file: SourceFile): HTMLElement =>
  make('article', { class: 'source' }, make('h4', {}, `${folder}/${file.name}`), codeOf(folder, file));

const folded = (title: string, content: HTMLElement): HTMLElement =>
  make('details', { class: 'source' }, make('summary', {}, title), content);

// The hash names the operation, so the link must not change it.
document.querySelector('.skip')?.addEventListener('click', (event) => {
  event.preventDefault();
  main?.focus();
});

addEventListener('hashchange', () => {
  const spec = select();
  if (spec) show(spec);
  main?.focus({ preventScroll: true });
});
const first = select();
if (first) show(first);
