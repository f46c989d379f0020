/** Bars of one figure for all servers and loads as SVG, readable on light and dark pages. */
import { parse, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import { figure, shortly } from './report.ts'
import type { Result } from './results.ts'

/** In the middle between black and white: seen on both. */
export const INK = '#7d8590'
const OURS = ['#1f6feb', '#58a6ff']
const OTHERS = ['#8c959f', '#c9852b', '#a371f7', '#6e7781']
const WIDTH = 420
const BAR = 24

export function toSvg(result: Result): Promise<string> {
  return draw(specOf(result))
}

export async function draw(spec: TopLevelSpec): Promise<string> {
  const view = new View(parse(compile(spec).spec), { renderer: 'none' })
  try {
    return `${await view.toSVG()}\n`
  } finally {
    view.finalize()
  }
}

interface Bar {
  group: string
  name: string
  value: number
  label: string
}

/** A group for each load; of one server alone, a bar for each load. */
function barsOf({ medians, plot }: Result): Bar[] {
  const isAlone = new Set(medians.map(({ server }) => server)).size === 1
  return medians.flatMap(({ server, load, values }) => {
    const value = values[plot]
    if (value === undefined) return []
    const [group, name] = isAlone ? [server, load] : [load, server]
    return [{ group, name, value, label: figure(value) }]
  })
}

function specOf(result: Result): TopLevelSpec {
  const { title, plot, goals } = result
  const values = barsOf(result)
  const names = [...new Set(values.map(({ name }) => name))]
  const groups = [...new Set(values.map(({ group }) => group))]
  const less = goals[0]?.better === 'lower' ? ', less is better' : ''
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: title, subtitle: [`${plot}${less}`, shortly(result)] },
    data: { values },
    facet: { row: { field: 'group', type: 'nominal', sort: groups, title: null, header: HEADER } },
    spec: {
      width: WIDTH,
      height: { step: BAR },
      encoding: {
        y: { field: 'name', type: 'nominal', sort: names, title: null, axis: AXIS },
        x: { field: 'value', type: 'quantitative', axis: null, scale: { zero: true } },
      },
      layer: [
        {
          mark: { type: 'bar', cornerRadiusEnd: 2, height: { band: 0.8 } },
          encoding: {
            color: {
              field: 'name',
              type: 'nominal',
              scale: { domain: names, range: names.map(colourOf(names)) },
              legend: null,
            },
          },
        },
        {
          mark: { type: 'text', align: 'left', dx: 5, color: INK },
          encoding: { text: { field: 'label', type: 'nominal' } },
        },
      ],
    },
    config: CONFIG,
  }
}

const HEADER = {
  labelAngle: 0,
  labelAlign: 'left',
  labelOrient: 'top',
  labelAnchor: 'start',
} as const
const AXIS = { labelLimit: 800, ticks: false, domain: false, labelPadding: 8 } as const
export const CONFIG: TopLevelSpec['config'] = {
  background: 'transparent',
  font: 'system-ui, sans-serif',
  padding: 12,
  axis: { labelColor: INK, labelFontSize: 13 },
  header: { labelColor: INK, labelFontSize: 13, labelFontWeight: 'bold' },
  text: { fontSize: 13 },
  title: {
    color: INK,
    subtitleColor: INK,
    anchor: 'start',
    fontSize: 16,
    subtitlePadding: 6,
    offset: 16,
  },
  view: { stroke: null },
}

function colourOf(names: readonly string[]): (name: string) => string {
  const isOurs = (name: string) => name.startsWith('Microchatter')
  return (name) => {
    const alike = names.filter((other) => isOurs(other) === isOurs(name))
    const colours = isOurs(name) ? OURS : OTHERS
    return colours[alike.indexOf(name) % colours.length] ?? INK
  }
}
