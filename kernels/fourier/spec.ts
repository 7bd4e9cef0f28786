import type { KernelSpec, OperandSpecs } from '../spec.js';
import type { CreateFourierPlan } from './reference.js';
import { fourierVariants } from './variants.js';

export interface FourierSizes {
  readonly size: number;
}

const operands = ({ size }: FourierSizes) => {
  const bins = Math.floor(size / 2) + 1;
  return {
    x: { role: 'input', type: 'float64', rows: 1, columns: size },
    // real parts, then imaginary parts
    spectrum: { role: 'output', type: 'float64', rows: 2, columns: bins },
  } as const satisfies OperandSpecs;
};

export const fourierSpec: KernelSpec<FourierSizes, ReturnType<typeof operands>, CreateFourierPlan> = {
  name: 'fourier',
  formula: 'X[f] = Σ_n x[n] exp(−2πi f n / N), f = 0 … ⌊N/2⌋',
  shapes: 'x [N]; real and imaginary parts of X [⌊N/2⌋ + 1]',
  source: 'Cooley and Tukey 1965 (fft.js); Bluestein 1970 for lengths that are no power of two',
  tolerance: 1e-12,
  nonFinite: false,
  sizes: [1, 2, 3, 4, 5, 7, 8, 16, 25, 64, 97, 200, 256, 400, 512].map((size) => ({ size })),
  workloads: [
    { name: 'frame of the shipped model', sizes: { size: 256 } },
    { name: 'frame of conformer small', sizes: { size: 400 } },
    { name: 'frame of conformer large', sizes: { size: 512 } },
    { name: 'frame of CNN14', sizes: { size: 1024 } },
  ],
  cost: ({ size }) => ({ operations: 2.5 * size * Math.log2(size), bytes: 16 * size }),
  operands,
  bind(kernel, { size }, { x, spectrum }) {
    return () => {
      const real = spectrum.data.subarray(spectrum.offset);
      kernel(size).transform(x.data, x.offset, real, real.subarray(spectrum.rowStride));
    };
  },
  exact({ size }, { x }) {
    const bins = Math.floor(size / 2) + 1;
    const real: number[] = [];
    const imaginary: number[] = [];
    for (let f = 0; f < bins; f++) {
      let re = 0;
      let im = 0;
      for (let n = 0; n < size; n++) {
        const angle = (-2 * Math.PI * ((f * n) % size)) / size;
        re += x.data[x.offset + n] * Math.cos(angle);
        im += x.data[x.offset + n] * Math.sin(angle);
      }
      real.push(re);
      imaginary.push(im);
    }
    return { spectrum: [...real, ...imaginary] };
  },
  variants: fourierVariants,
};
