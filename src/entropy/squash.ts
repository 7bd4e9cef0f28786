/** Probabilities from logits, on integers: the logistic function by interpolation, as in PAQ (Mahoney 2005). */

/** 2^16 / (1 + e^-x) for x from -8 to 8 in steps of a half. */
const POINTS = [
  22, 36, 60, 98, 162, 267, 439, 720, 1179, 1921, 3108, 4971, 7812, 11955, 17625, 24743, 32768, 40793, 47911,
  53581, 57724, 60565, 62428, 63615, 64357, 64816, 65097, 65269, 65374, 65438, 65476, 65500, 65514,
] as const;

/** Logits are in 256ths of a nat, and from -8 to just below 8 nats. */
export const LOGIT_UNIT = 256;
export const MOST_LOGIT = 2047;

/** Between two points. */
const STEP = 128;

/** SQUASH[z + 2048] is the probability of 1, in parts of 2^16, of a logit z from -2048 to 2047. */
export const SQUASH = Uint16Array.from({ length: 4096 }, (_, i) => {
  const [point, rest] = [Math.floor(i / STEP), i % STEP];
  return Math.floor((POINTS[point]! * (STEP - rest) + POINTS[point + 1]! * rest) / STEP);
});
