/**
 * Writes WebAssembly modules: functions with locals, loops, branches and stores, put together from the
 * expressions of `expression.ts`. A kernel is a TypeScript function that calls a `FunctionBuilder`; what runs
 * is exactly the loop nest it spells out, because engines optimise little across SIMD instructions.
 *
 * Every module imports one memory, `env.memory`, and exports its functions by name. What is ill-typed is
 * rejected here with the names of module and function. Source: WebAssembly core specification 2.0, section 5.5.
 */
import {
  AssemblerError,
  type Code,
  type Expression,
  type I32,
  i32,
  requireType,
  unsigned,
  type ValueType,
} from './expression.js';

const TYPE_BYTES: Readonly<Record<ValueType, number>> = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/** A variable of a function; as an expression it is its value. */
export interface Local<T extends ValueType = ValueType> extends Expression<T> {
  readonly index: number;
}

type ParameterTypes = Readonly<Record<string, ValueType>>;
type Parameters<P extends ParameterTypes> = { readonly [N in keyof P]: Local<P[N]> };

/** A function of a module, for calls from other functions of it. */
export interface FunctionReference {
  readonly name: string;
  readonly index: number;
  readonly parameters: readonly ValueType[];
  readonly result: ValueType | null;
}

const LOOP = 0x03;
const IF = 0x04;
const ELSE = 0x05;
const END = 0x0b;
const BRANCH_IF = 0x0d;
const RETURN = 0x0f;
const CALL = 0x10;
const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const NO_RESULT = 0x40;
const ALIGN_4 = 2;

const STORES: Readonly<Record<ValueType, Code>> = {
  i32: [0x36],
  f32: [0x38],
  f64: [0x39],
  v128: [0xfd, unsigned(11)],
};

/** Appends statements to one function. */
export class FunctionBuilder {
  private readonly body: Code[] = [];
  private readonly locals: ValueType[];
  private depth = 0;
  /** Depth of the block around each loop that is being written; a branch to it leaves the loop. */
  private readonly loops: number[] = [];
  private fences = 0;

  constructor(
    private readonly parameters: readonly ValueType[],
    private readonly result: ValueType | null,
  ) {
    this.locals = [...parameters];
  }

  /** A new variable with a first value. It is set anew each time that this place is reached. */
  local<T extends ValueType>(initial: Expression<T>): Local<T> {
    const local = this.declare(initial.type);
    this.set(local, initial);
    return local;
  }

  /** A new variable without a value. */
  declare<T extends ValueType>(type: T): Local<T> {
    if (!(type in TYPE_BYTES)) throw new AssemblerError(`declare: ${String(type)} is no type`);
    const index = this.locals.length;
    this.locals.push(type);
    return { type, index, code: [LOCAL_GET, unsigned(index)] };
  }

  set<T extends ValueType>(local: Local<T>, value: Expression<T>): void {
    requireType('set', 0, value, local.type);
    this.body.push([value.code, LOCAL_SET, unsigned(local.index)]);
  }

  /** local += amount. */
  increase(local: Local<'i32'>, amount: number | I32): void {
    this.set(local, i32.add(local, typeof amount === 'number' ? i32.const(amount) : amount));
  }

  /** Writes `value` at `pointer + offset` bytes; its type says how much. */
  store(pointer: I32, value: Expression, offset = 0): void {
    requireType('store', 0, pointer, 'i32');
    this.body.push([pointer.code, value.code, STORES[value.type], unsigned(ALIGN_4), unsigned(offset)]);
  }

  if(condition: I32, then: () => void, otherwise?: () => void): void {
    requireType('if', 0, condition, 'i32');
    this.body.push([condition.code, IF, NO_RESULT]);
    this.nested(then);
    if (otherwise) {
      this.body.push([ELSE]);
      this.nested(otherwise);
    }
    this.body.push([END]);
  }

  /** Runs `body` while `condition` holds; the test stands at the end of the loop, and once before it. */
  while(condition: I32, body: () => void): void {
    this.if(condition, () => {
      this.body.push([LOOP, NO_RESULT]);
      this.loops.push(this.depth);
      this.nested(body);
      this.loops.pop();
      this.body.push([condition.code, BRANCH_IF, unsigned(0), END]);
    });
  }

  /** for (counter = from; counter < below; counter += step). */
  for(counter: Local<'i32'>, from: I32, below: I32, step: number, body: () => void): void {
    this.set(counter, from);
    this.while(i32.ltS(counter, below), () => {
      body();
      this.increase(counter, step);
    });
  }

  /**
   * A branch that is never taken: it leaves the innermost loop where `zero` has a bit set, and `zero` is a
   * parameter that is always 0. V8 moves SIMD instructions late, to where their values are used, which turns an
   * unrolled body into one dependent chain per sum. Behind the loop the sums are used, so all that was added to
   * them before a fence has to be done before it: each step stays where it stands, for one instruction. (A branch
   * out of the function would not do: there the sums are dead, and V8 moves them past it.)
   */
  fence(zero: I32): void {
    requireType('fence', 0, zero, 'i32');
    const loop = this.loops.at(-1);
    if (loop === undefined) throw new AssemblerError('fence: only in a loop');
    const bit = 1 << (this.fences++ % 30);
    this.body.push([i32.and(zero, i32.const(bit)).code, BRANCH_IF, unsigned(this.depth - loop)]);
  }

  /** Calls a function without a result. */
  call(target: FunctionReference, ...operands: readonly Expression[]): void {
    if (target.result !== null) throw new AssemblerError(`call: ${target.name} has a result: use value()`);
    this.body.push(callCode(target, operands));
  }

  /** Leaves the function. */
  return(value?: Expression): void {
    if ((value?.type ?? null) !== this.result) {
      throw new AssemblerError(`return: ${value?.type ?? 'nothing'}, expected ${this.result ?? 'nothing'}`);
    }
    this.body.push([value ? value.code : [], RETURN]);
  }

  private nested(body: () => void): void {
    this.depth++;
    body();
    this.depth--;
  }

  /** Locals and code, with their length in front. */
  bytes(): Code {
    const own = this.locals.slice(this.parameters.length);
    const runs: { type: ValueType; count: number }[] = [];
    for (const type of own) {
      const last = runs[runs.length - 1];
      if (last?.type === type) last.count++;
      else runs.push({ type, count: 1 });
    }
    const declared = runs.map(({ type, count }) => [...unsigned(count), TYPE_BYTES[type]]);
    return sized(flatten([unsigned(runs.length), declared, this.body, END]));
  }
}

function callCode(target: FunctionReference, operands: readonly Expression[]): Code {
  if (operands.length !== target.parameters.length) {
    throw new AssemblerError(
      `call: ${target.name} takes ${target.parameters.length} operands, got ${operands.length}`,
    );
  }
  target.parameters.forEach((wanted, at) => {
    requireType(`call ${target.name}`, at, operands[at]!, wanted);
  });
  return [...operands.map(({ code }) => code), CALL, unsigned(target.index)];
}

/** The result of a call, as an expression. */
export function callValue<T extends ValueType>(
  type: T,
  target: FunctionReference,
  ...operands: readonly Expression[]
): Expression<T> {
  if (target.result !== type) {
    throw new AssemblerError(`call: ${target.name} gives ${target.result ?? 'nothing'}, expected ${type}`);
  }
  return { type, code: callCode(target, operands) };
}

/** Pages of 64 KiB, and whether threads share them. */
export interface MemoryLimits {
  readonly pages: number;
  readonly shared: boolean;
}

/** Collects functions and gives the bytes of a module. */
export class ModuleBuilder {
  private readonly types: string[] = [];
  private readonly typeBytes: number[][] = [];
  private readonly functions: { name: string; type: number; body: Code; exported: boolean }[] = [];

  constructor(
    /** For messages. */
    readonly name: string,
  ) {}

  /** Adds a function that gives nothing; `write` puts its statements together. */
  function<P extends ParameterTypes>(
    name: string,
    parameters: P,
    write: (f: FunctionBuilder, parameters: Parameters<P>) => void,
    exported = true,
  ): FunctionReference {
    return this.define(name, parameters, null, write as never, exported);
  }

  /** Adds a function that stays inside the module, or gives the one of this name that several kernels share. */
  shared<P extends ParameterTypes>(
    name: string,
    parameters: P,
    write: (f: FunctionBuilder, parameters: Parameters<P>) => void,
  ): FunctionReference {
    const index = this.functions.findIndex((each) => each.name === name && !each.exported);
    if (index < 0) return this.function(name, parameters, write, false);
    return { name, index, parameters: Object.values(parameters), result: null };
  }

  /** Adds a function with a result: what `write` gives back. */
  functionOf<P extends ParameterTypes, T extends ValueType>(
    name: string,
    parameters: P,
    result: T,
    write: (f: FunctionBuilder, parameters: Parameters<P>) => Expression<T>,
    exported = true,
  ): FunctionReference {
    return this.define(name, parameters, result, write as never, exported);
  }

  private define(
    name: string,
    parameters: ParameterTypes,
    result: ValueType | null,
    write: (f: FunctionBuilder, parameters: Parameters<ParameterTypes>) => Expression | undefined,
    exported: boolean,
  ): FunctionReference {
    const where = `kernel ${this.name}, function ${name}`;
    if (exported && this.functions.some((other) => other.exported && other.name === name)) {
      throw new AssemblerError(`${where}: there is one of this name`);
    }
    const types = Object.values(parameters);
    const f = new FunctionBuilder(types, result);
    const locals: Record<string, Local> = {};
    Object.entries(parameters).forEach(([parameter, type], index) => {
      locals[parameter] = { type, index, code: [LOCAL_GET, unsigned(index)] };
    });
    try {
      const value = write(f, locals);
      if (result !== null) f.return(value);
    } catch (error) {
      if (error instanceof AssemblerError) throw new AssemblerError(`${where}: ${error.message}`);
      throw error;
    }
    const body = f.bytes();
    const index = this.functions.length;
    this.functions.push({ name, type: this.typeIndex(types, result), body, exported });
    return { name, index, parameters: types, result };
  }

  private typeIndex(parameters: readonly ValueType[], result: ValueType | null): number {
    const results = result === null ? [] : [result];
    const key = `${parameters.join()}:${results.join()}`;
    const known = this.types.indexOf(key);
    if (known >= 0) return known;
    this.types.push(key);
    const list = (types: readonly ValueType[]) => [
      ...unsigned(types.length),
      ...types.map((type) => TYPE_BYTES[type]),
    ];
    this.typeBytes.push([0x60, ...list(parameters), ...list(results)]);
    return this.types.length - 1;
  }

  get exportedNames(): readonly string[] {
    return this.functions.flatMap(({ name, exported }) => (exported ? [name] : []));
  }

  /** The module, importing a memory of `limits`. */
  bytes({ pages, shared }: MemoryLimits): Uint8Array<ArrayBuffer> {
    const limits = shared ? [0x03, unsigned(pages), unsigned(pages)] : [0x00, unsigned(0)];
    const memory = [text('env'), text('memory'), 0x02, limits];
    const exports = this.functions.flatMap(({ name, exported }, index) =>
      exported ? [[text(name), 0x00, unsigned(index)]] : [],
    );
    const sections: Code = [
      [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      section(1, this.typeBytes),
      section(2, [memory]),
      section(
        3,
        this.functions.map(({ type }) => unsigned(type)),
      ),
      section(7, exports),
      section(
        10,
        this.functions.map(({ body }) => body),
      ),
    ];
    return Uint8Array.from(flatten(sections));
  }
}

const text = (value: string): Code => {
  // Names are ASCII; an AudioWorklet has no TextEncoder.
  const bytes = Array.from(value, (character) => character.charCodeAt(0));
  return [unsigned(bytes.length), bytes];
};

/** A list of bytes with its length in front. */
const sized = (bytes: readonly number[]): Code => [unsigned(bytes.length), bytes];

const section = (id: number, entries: readonly Code[]): Code => [
  id,
  sized(flatten([unsigned(entries.length), entries])),
];

function flatten(code: Code): number[] {
  const bytes: number[] = [];
  const visit = (part: Code): void => {
    for (const each of part) {
      if (typeof each === 'number') bytes.push(each);
      else visit(each);
    }
  };
  visit(code);
  return bytes;
}
