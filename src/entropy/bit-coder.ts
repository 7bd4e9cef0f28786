/**
 * Codes or takes off a binary decision. A model of codewords is written once for both directions, so that encoder and
 * decoder can't come apart: an encoder codes `bit` and gives it back; a decoder gives the bit that the message says.
 */
export interface BitCoder {
  /** `ones`: the probability of 1, from 1 to 65,535 parts of 2^16. */
  code(bit: number, ones: number): number;
}
