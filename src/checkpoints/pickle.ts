/**
 * Just enough of Python's pickle to read what torch.save writes: a machine with a stack, a memo and a closed
 * list of opcodes. Nothing is imported, looked up or run: a class or function is one of those that the host
 * names, or the file is rejected. dict and OrderedDict become a Map, a list an array, a tuple a frozen array, an
 * int a number or, where that would round it, a bigint.
 *
 * Format: Lib/pickletools.py of CPython.
 */
import { FormatError } from '../tensor/index.js';

export type PickleKey = string | number | bigint | boolean | null;

/** Plain data, and what the host makes of classes and stored objects. */
export type PickleValue = PickleKey | readonly PickleValue[] | Map<PickleKey, PickleValue> | PickleObject;

/** A class or function of Python's that stands on the host's list, or a thing that one of them made. */
export abstract class PickleObject {
  /** For messages. */
  abstract readonly kind: string;
}

/** Throws a FormatError with the byte that the machine is at, and says that the file is damaged. */
export type Fail = (message: string) => never;

/** What a pickle may refer to outside itself. */
export interface PickleHost {
  /** What stands for Python's `name`, with its module; undefined where it is not on the list. */
  find(name: string): PickleObject | undefined;
  call(callee: PickleValue, args: readonly PickleValue[], fail: Fail): PickleValue;
  /** The object that is stored outside the pickle under this id. */
  load(id: PickleValue, fail: Fail): PickleValue;
}

/** A pickle that goes on where its bytes end; more bytes may complete it. */
export class PickleEndsError extends FormatError {}

export const PICKLE_FORMAT = 'PyTorch checkpoint';

/** Lists, tuples and dicts of one pickle: a byte of it can ask for a hundred bytes of memory. */
const MOST_CONTAINERS = 1_000_000;
/** Values that a pickle may remember; a JavaScript Map holds 2^24. */
const MOST_REMEMBERED = 1 << 22;
/** Longest name of a class with its module. */
const MOST_NAME = 256;

const DAMAGED = 'the file is cut short or damaged; fetch or save it again';

const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const MARK = Symbol('mark');
const EMPTY_TUPLE: readonly PickleValue[] = Object.freeze([]);

const isKey = (value: PickleValue): value is PickleKey => value === null || typeof value !== 'object';
const isList = (value: PickleValue): value is PickleValue[] =>
  Array.isArray(value) && !Object.isFrozen(value);

class Machine {
  private at: number;
  /** Where the opcode at work stands. */
  private opcodeAt: number;
  private readonly view: DataView;
  private readonly stack: (PickleValue | typeof MARK)[] = [];
  private readonly memo = new Map<number, PickleValue>();
  private containers = 0;

  constructor(
    private readonly bytes: Uint8Array,
    start: number,
    private readonly host: PickleHost,
    private readonly base: number,
  ) {
    this.at = start;
    this.opcodeAt = start;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  run(): { value: PickleValue; end: number } {
    for (;;) {
      this.opcodeAt = this.at;
      const opcode = this.bytes[this.take(1)]!;
      if (opcode === STOP) {
        const value = this.pop();
        if (this.stack.length > 0) this.damaged('the pickle ends with values left over');
        return { value, end: this.at };
      }
      const step = OPCODES.get(opcode);
      if (step === undefined) {
        return this.fail(
          `pickle opcode 0x${opcode.toString(16)} is none that tensors and plain data need; save the ` +
            "network's state_dict() with torch.save",
        );
      }
      step(this);
    }
  }

  readonly fail: Fail = (message) => {
    throw new FormatError(PICKLE_FORMAT, message, this.base + this.opcodeAt);
  };

  readonly damaged: Fail = (message) => {
    throw new FormatError(PICKLE_FORMAT, `${message}: ${DAMAGED}`, this.base + this.opcodeAt);
  };

  /** Where the next `count` bytes begin; they are used up. */
  take(count: number): number {
    const from = this.at;
    if (from + count > this.bytes.length) {
      throw new PickleEndsError(
        PICKLE_FORMAT,
        `the pickle ends early, in what needs ${count} bytes: ${DAMAGED}`,
        this.base + this.opcodeAt,
      );
    }
    this.at += count;
    return from;
  }

  byte = (): number => this.bytes[this.take(1)]!;
  uint16 = (): number => this.view.getUint16(this.take(2), true);
  int32 = (): number => this.view.getInt32(this.take(4), true);
  uint32 = (): number => this.view.getUint32(this.take(4), true);
  double = (): number => this.view.getFloat64(this.take(8), false);

  string(length: number): string {
    const from = this.take(length);
    try {
      return text.decode(this.bytes.subarray(from, from + length));
    } catch {
      return this.damaged('a string is no UTF-8');
    }
  }

  /** ASCII up to the next line feed. */
  line(): string {
    const end = this.bytes.subarray(this.at, this.at + MOST_NAME).indexOf(10);
    if (end >= 0) return this.string(end + 1).slice(0, -1);
    if (this.at + MOST_NAME > this.bytes.length) this.take(MOST_NAME);
    return this.damaged(`the name of a class is longer than ${MOST_NAME} bytes`);
  }

  /** A little-endian two's complement integer. */
  long(length: number): number | bigint {
    const from = this.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.bytes[from + i]!);
    if (length > 0 && this.bytes[from + length - 1]! > 127) value -= 1n << BigInt(8 * length);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  push(value: PickleValue): void {
    this.stack.push(value);
  }

  pushContainer(value: PickleValue): void {
    if (++this.containers > MOST_CONTAINERS) {
      this.fail(`the pickle holds more than ${MOST_CONTAINERS} lists, tuples and dicts`);
    }
    this.stack.push(value);
  }

  mark(): void {
    this.stack.push(MARK);
  }

  pop(): PickleValue {
    const value = this.stack.pop();
    if (value === undefined || value === MARK)
      return this.damaged('the pickle takes a value that it never made');
    return value;
  }

  /** The values since the last mark, which is taken off too. */
  popToMark(): PickleValue[] {
    const from = this.stack.lastIndexOf(MARK);
    if (from < 0) return this.damaged('the pickle goes back to a mark that it never set');
    const values = this.stack.splice(from) as PickleValue[];
    values.shift();
    return values;
  }

  tuple(values: PickleValue[]): void {
    this.pushContainer(values.length === 0 ? EMPTY_TUPLE : Object.freeze(values));
  }

  popTuple(length: number): void {
    const values = Array.from({ length }, () => this.pop());
    this.tuple(values.reverse());
  }

  remember(index: number): void {
    const value = this.pop();
    this.memo.set(index, value);
    if (this.memo.size > MOST_REMEMBERED)
      this.fail(`the pickle remembers more than ${MOST_REMEMBERED} values`);
    this.stack.push(value);
  }

  rememberNext(): void {
    this.remember(this.memo.size);
  }

  recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) this.damaged(`the pickle recalls value ${index}, which it never remembered`);
    this.stack.push(value);
  }

  append(values: readonly PickleValue[]): void {
    const list = this.pop();
    if (!isList(list)) this.damaged('the pickle appends to what is no list');
    for (const value of values) list.push(value);
    this.stack.push(list);
  }

  setItems(items: readonly PickleValue[]): void {
    const dict = this.pop();
    if (!(dict instanceof Map)) this.damaged('the pickle sets items of what is no dict');
    if (items.length % 2 !== 0) this.damaged('a dict has a key without a value');
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i]!;
      if (!isKey(key)) this.damaged('a dict has a key that is neither text nor a number');
      dict.set(key, items[i + 1]!);
    }
    this.stack.push(dict);
  }

  find(module: PickleValue, name: PickleValue): void {
    if (typeof module !== 'string' || typeof name !== 'string')
      this.damaged('the name of a class is no text');
    const found = this.host.find(`${module} ${name}`);
    if (found === undefined) {
      this.fail(
        `it asks for ${module.slice(0, MOST_NAME)}.${name.slice(0, MOST_NAME)}, which is neither a tensor nor plain ` +
          "data; nothing of it was run. Save the network's state_dict() with torch.save",
      );
    }
    this.push(found);
  }

  reduce(): void {
    const args = this.pop();
    const callee = this.pop();
    if (!Array.isArray(args) || isList(args)) this.damaged('the pickle calls with what is no tuple');
    this.pushContainer(this.host.call(callee, args, this.damaged));
  }

  /** Attributes of an OrderedDict, which a state_dict has and nobody needs; of nothing else. */
  build(): void {
    this.pop();
    const target = this.pop();
    if (!(target instanceof Map)) this.damaged('the pickle sets attributes of what is no dict');
    this.stack.push(target);
  }

  load(): void {
    this.push(this.host.load(this.pop(), this.damaged));
  }
}

const STOP = '.'.charCodeAt(0);

/** Every opcode that is known, by its character: protocols 2 and 4 as Python writes dicts, lists and tensors. */
const OPCODES = new Map<number, (machine: Machine) => void>(
  (
    [
      ['\x80', (m) => m.byte() > 5 && m.fail('this protocol of pickle is newer than 5')], // PROTO
      ['\x95', (m) => m.take(8)], // FRAME
      ['(', (m) => m.mark()], // MARK
      ['N', (m) => m.push(null)], // NONE
      ['\x88', (m) => m.push(true)], // NEWTRUE
      ['\x89', (m) => m.push(false)], // NEWFALSE
      ['K', (m) => m.push(m.byte())], // BININT1
      ['M', (m) => m.push(m.uint16())], // BININT2
      ['J', (m) => m.push(m.int32())], // BININT
      ['\x8a', (m) => m.push(m.long(m.byte()))], // LONG1
      ['G', (m) => m.push(m.double())], // BINFLOAT
      ['X', (m) => m.push(m.string(m.uint32()))], // BINUNICODE
      ['\x8c', (m) => m.push(m.string(m.byte()))], // SHORT_BINUNICODE
      [')', (m) => m.tuple([])], // EMPTY_TUPLE
      ['\x85', (m) => m.popTuple(1)], // TUPLE1
      ['\x86', (m) => m.popTuple(2)], // TUPLE2
      ['\x87', (m) => m.popTuple(3)], // TUPLE3
      ['t', (m) => m.tuple(m.popToMark())], // TUPLE
      [']', (m) => m.pushContainer([])], // EMPTY_LIST
      ['a', (m) => m.append([m.pop()])], // APPEND
      ['e', (m) => m.append(m.popToMark())], // APPENDS
      ['}', (m) => m.pushContainer(new Map())], // EMPTY_DICT
      ['s', (m) => m.setItems([m.pop(), m.pop()].reverse())], // SETITEM
      ['u', (m) => m.setItems(m.popToMark())], // SETITEMS
      ['q', (m) => m.remember(m.byte())], // BINPUT
      ['r', (m) => m.remember(m.uint32())], // LONG_BINPUT
      ['\x94', (m) => m.rememberNext()], // MEMOIZE
      ['h', (m) => m.recall(m.byte())], // BINGET
      ['j', (m) => m.recall(m.uint32())], // LONG_BINGET
      ['c', (m) => m.find(m.line(), m.line())], // GLOBAL
      ['\x93', (m) => m.find(...([m.pop(), m.pop()].reverse() as [PickleValue, PickleValue]))], // STACK_GLOBAL
      ['R', (m) => m.reduce()], // REDUCE
      ['b', (m) => m.build()], // BUILD
      ['Q', (m) => m.load()], // BINPERSID
    ] as [string, (machine: Machine) => void][]
  ).map(([character, step]) => [character.charCodeAt(0), step]),
);

/**
 * Reads the pickle that begins at `start`, and says where it ends. Offsets in errors count from `base` bytes
 * before the array. Throws FormatError for what is not on the list or contradicts itself.
 */
export function readPickle(
  bytes: Uint8Array,
  start: number,
  host: PickleHost,
  base = 0,
): { value: PickleValue; end: number } {
  return new Machine(bytes, start, host, base).run();
}
