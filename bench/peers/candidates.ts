/**
 * What competes in a case, and how each peer is driven: the quickest way that its interface offers. Weights are
 * constants of a graph where there are graphs; inputs and results stay in the peer's memory where it lets them.
 */
import type { Peers } from './load.js';
import type { Jax, JaxArray, OrtTensor, Tf, TfTensor } from './packages.js';

export interface Candidate {
  /** Does the work once. */
  run(): void | Promise<void>;
  /** Does it once more and gives the result, in our layout. */
  result(): ArrayLike<number> | Promise<ArrayLike<number>>;
  close(): void | Promise<void>;
}

/** A candidate that is built when its turn comes, and may fail to. */
export interface Entry {
  readonly name: string;
  build(): Candidate | Promise<Candidate>;
}

/** What brings a peer's result to our layout. */
export type Arrange = (data: ArrayLike<number>) => ArrayLike<number>;
const asIs: Arrange = (data) => data;

export interface Feed {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** onnxruntime-web and -node on one model; `output` is compared. */
export function ortEntries(
  peers: Peers,
  makeModel: () => Uint8Array,
  feeds: Readonly<Record<string, Feed>>,
  output: string,
  arrange: Arrange = asIs,
): Entry[] {
  const providers = { 'ort-web': 'wasm', 'ort-node': 'cpu' } as const;
  let model: Uint8Array | undefined;
  return (['ort-web', 'ort-node'] as const).flatMap((name) => {
    const ort = peers[name];
    if (!ort) return [];
    const build = async (): Promise<Candidate> => {
      model ??= makeModel();
      const session = await ort.InferenceSession.create(model, {
        executionProviders: [providers[name]],
        graphOptimizationLevel: 'all',
        executionMode: 'sequential',
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
      });
      const inputs: Record<string, OrtTensor> = {};
      for (const [input, { data, shape }] of Object.entries(feeds)) {
        inputs[input] = new ort.Tensor('float32', data, shape);
      }
      return {
        run: async () => void (await session.run(inputs)),
        result: async () => {
          const { data } = (await session.run(inputs))[output]!;
          return arrange(Array.from(data as ArrayLike<number>, Number));
        },
        close: () => session.release(),
      };
    };
    return [{ name, build }];
  });
}

/** tfjs: `prepare` makes the tensors that stay, and the work on them. */
export function tfEntry(
  { 'tfjs-wasm': tf }: Peers,
  prepare: (tf: Tf, keep: (data: Float32Array, shape: readonly number[]) => TfTensor) => () => TfTensor,
  arrange: Arrange = asIs,
): Entry[] {
  if (!tf) return [];
  const build = (): Candidate => {
    const kept: TfTensor[] = [];
    const work = prepare(tf, (data, shape) => {
      kept.push(tf.tensor(data, shape));
      return kept[kept.length - 1]!;
    });
    return {
      run: () => tf.tidy(work).dispose(),
      result: () => {
        const y = tf.tidy(work);
        const data = arrange(y.dataSync());
        y.dispose();
        return data;
      },
      close: () => {
        for (const tensor of kept) tensor.dispose();
      },
    };
  };
  return [{ name: 'tfjs-wasm', build }];
}

/** jax-js: a function of arrays that stay; `prepare` gives the function, which is compiled, and its arguments. */
export function jaxEntry(
  { 'jax-js': jax }: Peers,
  prepare: (jax: Jax) => { compute(...x: JaxArray[]): JaxArray; inputs: readonly Feed[] },
  arrange: Arrange = asIs,
): Entry[] {
  if (!jax) return [];
  const build = (): Candidate => {
    const { compute, inputs } = prepare(jax);
    const arrays = inputs.map(({ data, shape }) => jax.numpy.array(data, { shape }));
    const compiled = jax.jit(compute);
    const call = () => compiled(...arrays.map((x) => x.ref));
    return {
      run: async () => {
        const y = call();
        await jax.blockUntilReady(y);
        y.dispose();
      },
      result: async () => arrange(await call().data()),
      close: () => {
        for (const x of arrays) x.dispose();
        compiled.dispose();
      },
    };
  };
  return [{ name: 'jax-js', build }];
}
