/** A flame graph as one HTML file that needs nothing else. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Frame } from './profiles.ts'

/** What is too narrow to be seen would only make the file large. */
const LEAST_SHARE = 0.0005
const FLAME = 'd3-flame-graph'
/** Each adds itself to the same global `d3`, so that their order counts. */
const PARTS = [
  'array',
  'color',
  'interpolate',
  'format',
  'time',
  'time-format',
  'timer',
  'dispatch',
  'ease',
  'hierarchy',
  'selection',
  'scale',
  'transition',
]

export interface FlamePage {
  title: string
  note: string
  /** 'ms', 'kB'. */
  unit: string
  tree: Frame
}

export function toFlamePage({ title, note, unit, tree }: FlamePage): string {
  const least = tree.value * LEAST_SHARE
  const data = JSON.stringify(prune(tree, least)).replaceAll('<', '\\u003c')
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>
${readFileSync(fileOf(FLAME, 'd3-flamegraph.css'), 'utf8')}
body { margin: 16px; font: 14px system-ui, sans-serif; color: #1f2328; background: #fff; }
h1 { font-size: 18px; margin: 0 0 4px; }
p { margin: 0 0 12px; color: #59636e; }
#shown { min-height: 1.5em; font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
</style>
<h1>${escape(title)}</h1>
<p>${escape(note)}</p>
<label>Find <input id="find" type="search"></label>
<div id="shown" role="status"></div>
<div id="chart"></div>
<script>${libraries()}</script>
<script>
const data = ${data}
const total = data.value
const shown = document.getElementById('shown')
const text = ({ data: { name, value } }) =>
  name + '  ' + value.toLocaleString('en', { maximumFractionDigits: 0 }) + ' ${unit}, ' +
  (100 * value / total).toFixed(1) + ' %'
const chart = flamegraph.default()
  .width(Math.max(800, document.documentElement.clientWidth - 32))
  .cellHeight(18).inverted(true).minFrameSize(1).sort(true).transitionDuration(0)
  .label(text).setDetailsElement(shown)
d3.select('#chart').datum(data).call(chart)
document.getElementById('find').addEventListener('input', ({ target }) =>
  target.value === '' ? chart.clear() : chart.search(target.value))
</script>
</html>
`
}

function prune({ name, value, children }: Frame, least: number): Omit<Frame, 'self'> {
  const kept = children.filter((child) => child.value >= least)
  return {
    name,
    value: Math.round(value),
    children: kept.map((child) => prune(child, least)) as Frame[],
  }
}

function libraries(): string {
  const files = PARTS.map((part) => fileOf(`d3-${part}`, `d3-${part}.min.js`))
  return [...files, fileOf(FLAME, 'd3-flamegraph.umd.min.js')]
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')
    .replaceAll('</script', '<\\/script')
}

/** In `dist` of a package that d3-flame-graph brings along, however deep. */
function fileOf(name: string, file: string): string {
  const require = createRequire(import.meta.url)
  const paths = createRequire(require.resolve('d3-flame-graph')).resolve.paths(name) ?? []
  const found = paths
    .map((folder) => `${folder}/${name}/dist/${file}`)
    .find((path) => existsSync(path))
  if (found !== undefined) return found
  throw new Error(`${name} is not installed: npm install`)
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
