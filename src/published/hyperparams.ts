/** What is taken of SpeechBrain's texts: numbers of hyperparams.yaml, and the labels of a label encoder. */

/** A line `name: value`; the value is a number or the name of another one. */
const LINE = /^([ \t]*)(\w+):[ \t]*(?:(-?\d{1,15}(?:\.\d{1,15})?)|!ref <(\w+)>)?/;

/**
 * Numbers that stand by themselves in hyperparams.yaml (`n_fft: 512`), and those of the front end, which stand below
 * `compute_features:` (`win_length: 32` or `win_length: !ref <window>`) and go before others. The rest names Python classes.
 */
export function numbersOfYaml(text: string | null): ReadonlyMap<string, number> {
  const top = new Map<string, number>();
  const frontEnd = new Map<string, number | string>();
  let block = '';
  for (const line of (text ?? '').split(/\r?\n/)) {
    const [all, indent, name, number, reference] = LINE.exec(line) ?? [];
    if (name === undefined) continue;
    // What follows a number makes it something else: 1e-3, 3:4, a text.
    if (number !== undefined && !/^[ \t]*(#.*)?$/.test(line.slice(all!.length))) continue;
    if (indent === '') block = name;
    if (indent === '' && number !== undefined) top.set(name, Number(number));
    const value = number === undefined ? reference : Number(number);
    if (indent !== '' && block === 'compute_features' && value !== undefined) frontEnd.set(name, value);
  }
  const found = new Map(top);
  for (const [name, value] of frontEnd) {
    const number = typeof value === 'number' ? value : top.get(value);
    if (number !== undefined) found.set(name, number);
  }
  return found;
}

/** A label in Python's quotes and its number. */
const LABEL = /^(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)") => (\d{1,15})$/;

/**
 * Labels of SpeechBrain's label encoder: lines `'dog' => 0`, up to a line of equals signs behind which settings stand that
 * look the same. Null where a class has none.
 */
export function labelsOfEncoder(text: string | null, classes: number): string[] | null {
  const labels = new Map<number, string>();
  for (const line of (text ?? '').split(/\r?\n/)) {
    if (line.startsWith('====')) break;
    const [, single, double, number] = LABEL.exec(line) ?? [];
    const label = (single ?? double)?.replace(/\\(['"\\])/g, '$1');
    if (label !== undefined && !labels.has(Number(number))) labels.set(Number(number), label);
  }
  const found = Array.from({ length: classes }, (_, c) => labels.get(c));
  return found.every((label) => label !== undefined) ? found : null;
}
