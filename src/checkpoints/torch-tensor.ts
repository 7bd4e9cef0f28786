/** Tensors and storages of PyTorch files, and the closed list of Python names that a file may use for them. */
import { contiguous, type NdArray, sizeOf, type TypedArray, view } from '../tensor/index.js';
import {
  decodeElements,
  ELEMENT_TYPES,
  type ElementType,
  MOST_AXES,
  type StoredTensor,
} from './element-types.js';
import { type Fail, type PickleHost, PickleObject, type PickleValue } from './pickle.js';

/** A class or function on the list; only its name is ever used. */
class TorchName extends PickleObject {
  readonly kind = 'the class or function';
  constructor(readonly name: string) {
    super();
  }
}

/** A class of storages; it says the type of their elements. */
class StorageClass extends PickleObject {
  readonly kind = 'the storage class';
  constructor(readonly type: ElementType) {
    super();
  }
}

/** Elements one after another, which tensors are views of; they lie outside the pickle. */
export class TorchStorage extends PickleObject {
  readonly kind = 'a storage';
  constructor(
    readonly key: string,
    readonly type: ElementType,
    readonly elements: number,
  ) {
    super();
  }

  get bytes(): number {
    return this.elements * ELEMENT_TYPES[this.type].bytes;
  }
}

/** A strided view of a storage, offset and strides in elements; checked to lie in it. */
export class TorchTensor extends PickleObject implements StoredTensor {
  readonly kind = 'a tensor';
  readonly type: ElementType;
  readonly bytes: number;
  constructor(
    readonly storage: TorchStorage,
    readonly shape: readonly number[],
    readonly stride: readonly number[],
    readonly offset: number,
    /** Elements of the storage from the first of its own to the last. */
    readonly reach: number,
  ) {
    super();
    this.type = storage.type;
    this.bytes = sizeOf(shape) * ELEMENT_TYPES[storage.type].bytes;
  }
}

const REBUILD_TENSOR = new TorchName('torch._utils._rebuild_tensor_v2');
const REBUILD_PARAMETER = new TorchName('torch._utils._rebuild_parameter');
const ORDERED_DICT = new TorchName('collections.OrderedDict');
const SIZE = new TorchName('torch.Size');

/** Every name that a file may use, as "module name". */
const NAMES: ReadonlyMap<string, PickleObject> = new Map<string, PickleObject>([
  ['torch._utils _rebuild_tensor_v2', REBUILD_TENSOR],
  ['torch._utils _rebuild_parameter', REBUILD_PARAMETER],
  ['collections OrderedDict', ORDERED_DICT],
  ['torch Size', SIZE],
  ['torch DoubleStorage', new StorageClass('F64')],
  ['torch FloatStorage', new StorageClass('F32')],
  ['torch HalfStorage', new StorageClass('F16')],
  ['torch BFloat16Storage', new StorageClass('BF16')],
  ['torch LongStorage', new StorageClass('I64')],
  ['torch IntStorage', new StorageClass('I32')],
  ['torch ShortStorage', new StorageClass('I16')],
  ['torch CharStorage', new StorageClass('I8')],
  ['torch ByteStorage', new StorageClass('U8')],
  ['torch BoolStorage', new StorageClass('BOOL')],
]);

/** Most elements of a tensor: what an ndarray counts. */
const MOST_ELEMENTS = 2 ** 31 - 1;
/** Elements of a view that repeats those of its storage, where the storage has fewer: it becomes an array. */
const MOST_REPEATED = 1 << 20;

const isCount = (value: PickleValue): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

function counts(what: string, value: PickleValue | undefined, fail: Fail): number[] {
  if (!Array.isArray(value) || !value.every(isCount)) return fail(`a tensor has no ${what} of whole numbers`);
  if (value.length > MOST_AXES)
    return fail(`a tensor has ${value.length} axes; at most ${MOST_AXES} are read`);
  return value.slice();
}

/** _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks[, metadata]). */
function rebuildTensor(args: readonly PickleValue[], fail: Fail): TorchTensor {
  const [storage, offset] = args;
  if (!(storage instanceof TorchStorage)) return fail('a tensor has no storage');
  if (!isCount(offset ?? null)) return fail('a tensor has an offset that is no whole number from 0 on');
  const shape = counts('shape', args[2], fail);
  const stride = counts('strides', args[3], fail);
  const described = `a tensor of shape [${shape.join(', ')}], strides [${stride.join(', ')}]`;
  if (shape.length !== stride.length) return fail(`${described} has not one stride for each axis`);
  const elements = sizeOf(shape);
  const reach = elements === 0 ? 0 : shape.reduce((sum, n, axis) => sum + (n - 1) * stride[axis]!, 1);
  const end = (offset as number) + reach;
  // Written so that sums which are no longer exact, or not finite, fail too.
  if (!(end <= storage.elements)) {
    return fail(`${described} ends at element ${end} of a storage of ${storage.elements}`);
  }
  if (!(elements <= Math.min(MOST_ELEMENTS, Math.max(storage.elements, MOST_REPEATED)))) {
    return fail(
      `${described} repeats ${storage.elements} elements to ${elements}, which only a copy by .clone() may`,
    );
  }
  return new TorchTensor(storage, shape, stride, offset as number, reach);
}

/** OrderedDict() or OrderedDict(pairs). */
function orderedDict([pairs, ...rest]: readonly PickleValue[], fail: Fail): PickleValue {
  const dict: PickleValue = new Map();
  if (pairs === undefined) return dict;
  if (!Array.isArray(pairs) || rest.length > 0)
    return fail('an OrderedDict is made of something else than pairs');
  for (const pair of pairs as readonly PickleValue[]) {
    const [key, value] = Array.isArray(pair) ? (pair as readonly PickleValue[]) : [];
    if (key === undefined || value === undefined || (typeof key === 'object' && key !== null)) {
      return fail('an OrderedDict is made of something else than pairs');
    }
    dict.set(key, value);
  }
  return dict;
}

/** torch.Size(sizes): a tuple. */
function size([sizes]: readonly PickleValue[], fail: Fail): PickleValue {
  return Object.freeze(counts('torch.Size', sizes, fail));
}

/** _rebuild_parameter(tensor, requires_grad, backward_hooks). */
function rebuildParameter([tensor]: readonly PickleValue[], fail: Fail): PickleValue {
  return tensor instanceof TorchTensor ? tensor : fail('a parameter has no tensor');
}

/** What pickles of PyTorch may refer to; keeps the storages that they name, by key. */
export class TorchHost implements PickleHost {
  readonly storages = new Map<string, TorchStorage>();

  find(name: string): PickleObject | undefined {
    return NAMES.get(name);
  }

  call(callee: PickleValue, args: readonly PickleValue[], fail: Fail): PickleValue {
    if (callee === REBUILD_TENSOR) return rebuildTensor(args, fail);
    if (callee === REBUILD_PARAMETER) return rebuildParameter(args, fail);
    if (callee === ORDERED_DICT) return orderedDict(args, fail);
    if (callee === SIZE) return size(args, fail);
    return fail('the pickle calls what is no function for tensors');
  }

  /** ('storage', class, key, device, elements), in legacy files with a view of a storage as a sixth. */
  load(id: PickleValue, fail: Fail): PickleValue {
    const [tag, type, key, , elements, part] = Array.isArray(id) ? (id as readonly PickleValue[]) : [];
    if (tag !== 'storage' || !(type instanceof StorageClass))
      return fail('what is stored outside is no storage');
    if (typeof key !== 'string' || !/^\d{1,20}$/.test(key)) return fail('the key of a storage is no number');
    if (elements === undefined || !isCount(elements)) return fail(`storage ${key} has no number of elements`);
    if ((part ?? null) !== null) return fail(`storage ${key} is a part of another, which is not read`);
    const known = this.storages.get(key);
    if (known === undefined) {
      const storage = new TorchStorage(key, type.type, elements);
      this.storages.set(key, storage);
      return storage;
    }
    if (known.type !== type.type || known.elements !== elements) {
      return fail(`storage ${key} is named twice, with different types or sizes`);
    }
    return known;
  }
}

/** A tensor from the bytes of its storage, which it shares where its elements lie row after row and aligned. */
export function tensorOf(tensor: TorchTensor, storage: Uint8Array): NdArray<TypedArray> {
  const { type, shape, stride, offset, reach } = tensor;
  const width = ELEMENT_TYPES[type].bytes;
  const span = decodeElements(type, storage.subarray(offset * width, (offset + reach) * width));
  return contiguous(reach === 0 ? view(span, shape) : view(span, shape, stride));
}
