/**
 * Drawings of results, through the packages vega and vega-lite: optional peers that only this file imports, and only
 * when something is drawn.
 */
import type { Evaluation } from '../evaluation/index.js';
import { MissingPackageError } from '../tensor/index.js';

async function loadPlotting() {
  try {
    const [{ parse, View }, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
    return { parse, View, compile };
  } catch (cause) {
    throw new MissingPackageError('vega vega-lite', 'Drawing', cause);
  }
}

/** Throws MissingPackageError where nothing could be drawn. */
export async function requirePlotting(): Promise<void> {
  await loadPlotting();
}

type Specification = Parameters<Awaited<ReturnType<typeof loadPlotting>>['compile']>[0];

/** A specification of Vega-Lite as SVG. */
export async function draw(specification: Specification): Promise<string> {
  const { parse, View, compile } = await loadPlotting();
  return new View(parse(compile(specification).spec), { renderer: 'none' }).toSVG();
}

/** The scores of an evaluation over its bit rates, with intervals, and the uncut network as a line. */
export function rateCurve({ model, metric, recordings, continuous, points }: Evaluation): Promise<string> {
  const scored = ({ rate, interval: [low, high] }: Evaluation['continuous']) => ({ rate, low, high });
  const curve = points.flatMap((point) => [
    { ...scored(point), bitRate: point.codedBitRate, k: point.k, counted: 'every byte of every file' },
    {
      ...scored(point),
      bitRate: point.entropyBitRate,
      k: point.k,
      counted: 'order-0 entropy of the indices',
    },
  ]);
  const score = {
    field: 'rate',
    type: 'quantitative',
    title: metric,
    axis: { format: '.1%' },
    scale: { zero: false },
  } as const;
  const bitRate = {
    field: 'bitRate',
    type: 'quantitative',
    title: 'bit/s',
    scale: { zero: true },
  } as const;
  const colour = { field: 'counted', type: 'nominal', title: 'bits counted' } as const;
  return draw({
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: {
      text: `${model}: ${metric} over bit rate`,
      subtitle: `${recordings} recordings, 95 % intervals`,
    },
    width: 480,
    height: 320,
    background: 'white',
    layer: [
      {
        data: { values: [scored(continuous)] },
        layer: [
          {
            mark: { type: 'rect', opacity: 0.12, color: 'gray' },
            encoding: { y: { ...score, field: 'low' }, y2: { field: 'high' } },
          },
          { mark: { type: 'rule', strokeDash: [6, 4], color: 'gray' }, encoding: { y: score } },
          {
            mark: { type: 'text', text: 'uncut', align: 'right', dy: -6, color: 'gray', x: 478 },
            encoding: { y: score },
          },
        ],
      },
      {
        data: { values: curve },
        layer: [
          { mark: { type: 'line' }, encoding: { x: bitRate, y: score, color: colour } },
          {
            mark: { type: 'rule' },
            encoding: { x: bitRate, y: { ...score, field: 'low' }, y2: { field: 'high' }, color: colour },
          },
          {
            mark: { type: 'point', filled: true, size: 60 },
            encoding: { x: bitRate, y: score, color: colour },
          },
          {
            mark: { type: 'text', dx: 8, align: 'left', dy: 10, fontSize: 10 },
            encoding: { x: bitRate, y: score, text: { field: 'k', type: 'quantitative' }, color: colour },
          },
        ],
      },
    ],
  });
}
