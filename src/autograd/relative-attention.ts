import {
  type RecordingsAttentionInputs,
  recordingsAttention,
  recordingsAttentionGradients,
} from '../ops/recordings-attention.js';
import { record, type Variable } from './tape.js';

/**
 * Multi-head self-attention with relative positions (Transformer-XL) within each of several recordings, which lie one
 * after another along the first axis; gives [Σ lengths, width]. The formula is that of kernels/relative-attention, its
 * gradients are those of kernels/relative-attention/backward. Attention maps are kept for the way back: making them again
 * would cost a third of it.
 */
export function relativeAttention(inputs: RecordingsAttentionInputs<Variable>): Variable {
  const { queryKeyValue, positions, biasU, biasV } = inputs;
  const variables = { queryKeyValue, positions, biasU, biasV };
  const values = {
    ...inputs,
    queryKeyValue: queryKeyValue.value,
    positions: positions.value,
    biasU: biasU.value,
    biasV: biasV.value,
  };
  const onTape = Object.values(variables).some(({ tape }) => tape !== null);
  const { output, maps } = recordingsAttention(values, onTape);
  return record(Object.values(variables), output, (dy) => {
    if (maps === null) return;
    const gradients = recordingsAttentionGradients(values, maps, dy);
    for (const name of ['queryKeyValue', 'positions', 'biasU', 'biasV'] as const) {
      variables[name].accumulate(gradients[name]);
    }
  });
}
