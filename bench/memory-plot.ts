import { View, parse } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'

export interface Reading {
  minute: number
  rssMb: number
  heapMb: number
}

/** Of light and dark pages alike. */
const INK = '#7d8590'
const COLOURS = ['#1f6feb', '#1a7f37']
const NAMES = ['resident (RSS)', 'heap after garbage collection']

export async function toMemorySvg(readings: readonly Reading[]): Promise<string> {
  const values = readings.flatMap(({ minute, rssMb, heapMb }) => [
    { minute, mb: rssMb, what: NAMES[0] },
    { minute, mb: heapMb, what: NAMES[1] },
  ])
  const spec: TopLevelSpec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: 'Memory of the server, 32 messages in flight all the time',
    width: 640,
    height: 280,
    data: { values },
    mark: { type: 'line', strokeWidth: 2 },
    encoding: {
      x: { field: 'minute', type: 'quantitative', title: 'minutes' },
      y: { field: 'mb', type: 'quantitative', title: 'MB', scale: { zero: true } },
      color: {
        field: 'what',
        type: 'nominal',
        scale: { domain: NAMES, range: COLOURS },
        legend: { title: null, orient: 'bottom', labelLimit: 300 },
      },
    },
    config: {
      background: 'transparent',
      font: 'system-ui, sans-serif',
      axis: { labelColor: INK, titleColor: INK, gridColor: `${INK}44`, domainColor: INK },
      legend: { labelColor: INK },
      title: { color: INK },
      view: { stroke: null },
    },
  }
  const view = new View(parse(compile(spec).spec), { renderer: 'none' })
  try {
    return await view.toSVG()
  } finally {
    view.finalize()
  }
}
