/** A small example of an operation: inputs to change, outputs to ask what they read. */
import { elements } from '../../kernels/check/operands.js';
import type { KernelSpec, KernelVariant, Operand, OperandSpecs } from '../../kernels/spec.js';
import { make } from './dom.js';
import { exampleOperands, exampleSizes, readsOf } from './reads.js';

const shown = (value: number): string =>
  Number.isInteger(value)
    ? String(value)
    : Math.abs(value) >= 1e4
      ? value.toExponential(1)
      : value.toFixed(3);

/** Variants that an example can run on: those that compute at once, here. */
const runnable = <F>(variants: readonly KernelVariant<F>[]): KernelVariant<F>[] =>
  variants.filter((variant) => variant.available() === true);

export function exampleOf<S extends object, O extends OperandSpecs, F>(
  spec: KernelSpec<S, O, F>,
): HTMLElement {
  const sizes = exampleSizes(spec);
  const specs: OperandSpecs = spec.operands(sizes);
  const operands = exampleOperands(spec, sizes);
  const named = operands as unknown as Record<string, Operand>;
  const variants = runnable(spec.variants);
  const reference = spec.variants.find(({ name }) => name === 'reference');
  let chosen: { readonly output: string; readonly index: number } | null = null;

  const tables = make('div', { class: 'operands' });
  const status = make('p', { role: 'status', class: 'faint' });
  const select = make(
    'select',
    { change: () => void compute() },
    ...variants.map(({ name }) => make('option', { value: name }, name)),
  );
  const fields = new Map<string, HTMLInputElement[]>();
  const cells = new Map<string, HTMLButtonElement[]>();

  for (const [name, of] of Object.entries(specs)) {
    if (of.rows === 0 || of.columns === 0 || of.role === 'scratch') continue;
    tables.append(of.role === 'input' ? inputTable(name, of) : outputTable(name, of));
  }

  function table(name: string, of: OperandSpecs[string], role: string, cell: (index: number) => HTMLElement) {
    const rows = Array.from({ length: of.rows }, (_, r) =>
      make(
        'tr',
        {},
        ...Array.from({ length: of.columns }, (_, c) => make('td', {}, cell(r * of.columns + c))),
      ),
    );
    const caption = make('caption', {}, `${role} ${name} [${of.rows}, ${of.columns}]`);
    return make(
      'div',
      { class: 'scroll' },
      make('table', { class: 'grid' }, caption, make('tbody', {}, ...rows)),
    );
  }

  function inputTable(name: string, of: OperandSpecs[string]): HTMLElement {
    const operand = named[name];
    const places = operand ? [...elements(of, operand)] : [];
    const inputs = places.map((at, index) =>
      make('input', {
        type: 'number',
        step: 'any',
        value: Number((operand?.data[at] ?? 0).toPrecision(6)),
        'aria-label': `${name}, row ${Math.floor(index / of.columns)}, column ${index % of.columns}`,
        input: (event) => {
          const { valueAsNumber } = event.target as HTMLInputElement;
          if (!operand || !Number.isFinite(valueAsNumber)) return;
          operand.data[at] = valueAsNumber;
          void compute();
        },
      }),
    );
    fields.set(name, inputs);
    return table(name, of, 'input', (index) => inputs[index] ?? make('span'));
  }

  function outputTable(name: string, of: OperandSpecs[string]): HTMLElement {
    const buttons = Array.from({ length: of.rows * of.columns }, (_, index) =>
      make('button', {
        type: 'button',
        'aria-pressed': 'false',
        'aria-label': '',
        click: () => {
          chosen = { output: name, index };
          void mark();
        },
      }),
    );
    cells.set(name, buttons);
    return table(name, of, 'output', (index) => buttons[index] ?? make('span'));
  }

  async function compute(): Promise<void> {
    const variant = variants.find(({ name }) => name === select.value) ?? reference;
    if (!variant) return;
    try {
      await spec.bind(variant.load(), sizes, operands)();
    } catch (error) {
      status.textContent = `${variant.name} failed: ${error instanceof Error ? error.message : String(error)}`;
      return;
    }
    for (const [name, buttons] of cells) {
      const [of, operand] = [specs[name], named[name]];
      if (!of || !operand) continue;
      const values = Array.from(elements(of, operand), (at) => operand.data[at] ?? 0);
      buttons.forEach((button, index) => {
        const value = values[index] ?? 0;
        button.textContent = shown(value);
        const [r, c] = [Math.floor(index / of.columns), index % of.columns];
        button.setAttribute('aria-label', `${name}, row ${r}, column ${c}: ${shown(value)}`);
        button.title = String(value);
      });
    }
    await mark();
  }

  async function mark(): Promise<void> {
    for (const [name, buttons] of cells) {
      buttons.forEach((button, index) => {
        const isChosen = chosen?.output === name && chosen.index === index;
        button.setAttribute('aria-pressed', String(isChosen));
      });
    }
    const inputs = [...fields.values()].flat();
    for (const input of inputs) input.classList.remove('read');
    if (!chosen || !reference) {
      status.textContent = 'Choose a number of an output to see what it read.';
      return;
    }
    const asked = chosen;
    const reads = await readsOf(spec, reference.load(), sizes, operands, asked.output, asked.index);
    if (chosen !== asked) return;
    for (const { operand, index } of reads) fields.get(operand)?.[index]?.classList.add('read');
    status.textContent = `${asked.output}[${asked.index}] read ${reads.length} of ${inputs.length} input numbers, which are marked.`;
  }

  void compute();
  return make(
    'section',
    { 'aria-labelledby': 'example' },
    make('h3', { id: 'example' }, 'Example'),
    make(
      'p',
      { class: 'faint' },
      `Sizes ${JSON.stringify(sizes)}. Inputs can be changed. What an output read is found out by making one input after another ` +
        'NaN, very large, very small and 0 (a whole number: other whole numbers) and looking whether the output of the ' +
        'reference changes. An input that changes nothing by itself stays unmarked, though it may have been read: a ' +
        'codeword far from the nearest, or what is multiplied by 0.',
    ),
    make('div', { class: 'controls' }, make('label', {}, 'Computed by', select)),
    tables,
    status,
  );
}
