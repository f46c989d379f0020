/** For each kind of fault, how long it takes until all is well again; readable on light and dark pages. */
import type { TopLevelSpec } from 'vega-lite'
import { CONFIG, draw, INK } from '../bench/plot.ts'
import type { Summary } from './report.ts'

const READY = '#58a6ff'
const SETTLED = '#1f6feb'
const ROW = 22
const WIDTH = 420
/** On a scale by powers, nothing can be at 0. */
const LEAST_MS = 1

export function toSvg(summaries: readonly Summary[]): Promise<string> {
  return draw(specOf(summaries))
}

function specOf(summaries: readonly Summary[]): TopLevelSpec {
  const kinds = summaries.filter(({ id }) => id !== 'all')
  const values = kinds.flatMap(({ id, name, ready, settled }) => {
    const fault = `${id}  ${name}`
    return [
      { fault, what: 'server ready', median: atLeast(ready[0]), most: atLeast(ready[1]) },
      { fault, what: 'all clients equal', median: atLeast(settled[0]), most: atLeast(settled[1]) },
    ]
  })
  const y = {
    field: 'fault',
    type: 'nominal',
    sort: kinds.map(({ id, name }) => `${id}  ${name}`),
    title: null,
    axis: { labelLimit: 0, ticks: false, domain: false, labelPadding: 8 },
  } as const
  const axis = { values: [1, 10, 100, 1_000, 10_000], format: ',d' }
  const x = { type: 'quantitative', scale: { type: 'log' }, title: 'ms', axis } as const
  const color = {
    field: 'what',
    type: 'nominal',
    scale: { domain: ['server ready', 'all clients equal'], range: [READY, SETTLED] },
    legend: { title: null, orient: 'top', labelColor: INK },
  } as const
  const yOffset = { field: 'what', type: 'nominal' } as const
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: {
      text: 'After a fault',
      subtitle: 'ms from its end: the dot is the median, the line goes to the longest',
    },
    data: { values },
    width: WIDTH,
    height: { step: ROW, for: 'position' },
    layer: [
      {
        mark: { type: 'rule', strokeWidth: 2, opacity: 0.5 },
        encoding: { y, yOffset, color, x: { ...x, field: 'median' }, x2: { field: 'most' } },
      },
      {
        mark: { type: 'point', filled: true, size: 60, opacity: 1 },
        encoding: { y, yOffset, color, x: { ...x, field: 'median' } },
      },
    ],
    config: {
      ...CONFIG,
      axis: { ...CONFIG?.axis, titleColor: INK, gridColor: INK, gridOpacity: 0.2 },
    },
  }
}

function atLeast(ms: number): number {
  return Math.max(LEAST_MS, ms)
}
