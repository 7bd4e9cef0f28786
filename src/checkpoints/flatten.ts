/** Names for the tensors of a tree of dicts and lists: the keys and indices that lead to each, joined by dots. */
import { FormatError } from '../tensor/index.js';
import { PICKLE_FORMAT, type PickleKey, PickleObject, type PickleValue } from './pickle.js';
import { TorchTensor } from './torch-tensor.js';

/** Dicts in dicts, no more: what walks the tree after us may call itself. */
const MOST_DEPTH = 100;
/** Characters of one name, and of all: a long key may stand above many tensors. */
const MOST_NAME = 1 << 12;
const MOST_NAMES = 1 << 25;

interface Level {
  readonly container: PickleValue;
  readonly children: Iterator<[PickleKey, PickleValue]>;
  key: PickleKey;
}

function childrenOf(value: PickleValue): Iterator<[PickleKey, PickleValue]> | undefined {
  if (value instanceof Map) return value.entries();
  return Array.isArray(value) ? (value as readonly PickleValue[]).entries() : undefined;
}

/**
 * The tensors of a tree by name; a tree that is a tensor itself has the name ''. Throws FormatError for trees
 * that contain themselves, are deeper than 100 or, through parts that occur again and again, larger than
 * `mostValues`; for names that two tensors share; and for parts that are neither tensors nor plain data. Their offset is `begin`, that of the pickle.
 */
export function flatten(root: PickleValue, mostValues: number, begin: number): Map<string, TorchTensor> {
  const fail = (message: string): never => {
    throw new FormatError(PICKLE_FORMAT, message, begin);
  };
  const tensors = new Map<string, TorchTensor>();
  const path: Level[] = [];
  const open = new Set<PickleValue>();
  let [values, characters] = [0, 0];

  const nameOf = (): string => {
    const keys = path.map(({ key }) => String(key));
    const length = keys.reduce((sum, key) => sum + key.length + 1, 0);
    characters += length;
    if (length > MOST_NAME || characters > MOST_NAMES)
      fail(`the names of its tensors are longer than is read`);
    return keys.join('.');
  };

  const visit = (value: PickleValue): void => {
    if (++values > mostValues)
      fail(`parts of it occur so often that it holds more than ${mostValues} values`);
    if (value instanceof TorchTensor) {
      const name = nameOf();
      if (tensors.has(name)) fail(`two tensors come out under the name ${JSON.stringify(name)}`);
      tensors.set(name, value);
      return;
    }
    if (value instanceof PickleObject) {
      fail(`it holds ${value.kind} at ${JSON.stringify(nameOf())}; only tensors and plain data are read`);
    }
    const children = childrenOf(value);
    if (children === undefined) return;
    if (open.has(value)) fail(`the dict or list at ${JSON.stringify(nameOf())} contains itself`);
    if (path.length >= MOST_DEPTH) fail(`its dicts and lists are nested more than ${MOST_DEPTH} deep`);
    open.add(value);
    path.push({ container: value, children, key: '' });
  };

  visit(root);
  for (let level = path.at(-1); level !== undefined; level = path.at(-1)) {
    const next = level.children.next();
    if (next.done) {
      open.delete(level.container);
      path.pop();
    } else {
      level.key = next.value[0];
      visit(next.value[1]);
    }
  }
  return tensors;
}
