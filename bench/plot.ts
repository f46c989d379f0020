/** Bars of one figure for all servers and loads as SVG, readable on light and dark pages. */
import { parse, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import { circumstances, figure } from './report.ts'
import type { Result } from './results.ts'

/** In the middle between black and white: seen on both. */
const INK = '#7d8590'
const OURS = ['#1f6feb', '#58a6ff']
const OTHERS = ['#8c959f', '#c9852b', '#a371f7', '#6e7781']
const WIDTH = 420
const BAR = 24

export async function toSvg(result: Result): Promise<string> {
  const view = new View(parse(compile(specOf(result)).spec), { renderer: 'none' })
  try {
    return `${await view.toSVG()}\n`
  } finally {
    view.finalize()
  }
}

function specOf(result: Result): TopLevelSpec {
  const { title, plot } = result
  const values = result.medians.flatMap(({ server, load, values }) => {
    const value = values[plot]
    return value === undefined ? [] : [{ server, load, value, label: figure(value) }]
  })
  const servers = [...new Set(values.map(({ server }) => server))]
  const loads = [...new Set(values.map(({ load }) => load))]
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: title, subtitle: [plot, circumstances(result)] },
    data: { values },
    facet: { row: { field: 'load', type: 'nominal', sort: loads, title: null, header: HEADER } },
    spec: {
      width: WIDTH,
      height: { step: BAR },
      encoding: {
        y: { field: 'server', type: 'nominal', sort: servers, title: null, axis: AXIS },
        x: { field: 'value', type: 'quantitative', axis: null, scale: { zero: true } },
      },
      layer: [
        {
          mark: { type: 'bar', cornerRadiusEnd: 2, height: { band: 0.8 } },
          encoding: {
            color: {
              field: 'server',
              type: 'nominal',
              scale: { domain: servers, range: servers.map(colourOf(servers)) },
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
const AXIS = { labelLimit: 400, ticks: false, domain: false, labelPadding: 8 } as const
const CONFIG: TopLevelSpec['config'] = {
  background: 'transparent',
  font: 'system-ui, sans-serif',
  padding: 12,
  axis: { labelColor: INK, labelFontSize: 13 },
  header: { labelColor: INK, labelFontSize: 13, labelFontWeight: 'bold' },
  text: { fontSize: 13 },
  title: { color: INK, subtitleColor: INK, anchor: 'start', fontSize: 16, offset: 16 },
  view: { stroke: null },
}

function colourOf(servers: readonly string[]): (server: string) => string {
  const isOurs = (server: string) => server.startsWith('Microchatter')
  return (server) => {
    const alike = servers.filter((other) => isOurs(other) === isOurs(server))
    const colours = isOurs(server) ? OURS : OTHERS
    return colours[alike.indexOf(server) % colours.length] ?? INK
  }
}
